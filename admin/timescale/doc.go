// Package timescale makes and looks after hypertables, their compression and policies, and continuous aggregates of the
// TimescaleDB extension.
//
//	I want to …                                       function
//	make a table a hypertable                         CreateHypertable, with ByRange
//	partition it by another column too                AddDimension, with ByRange or ByHash
//	change the width of chunks to come                SetChunkInterval
//	see hypertables, dimensions and chunks            Hypertables, GetHypertable, Dimensions, Chunks
//	drop old chunks, now or by a policy               DropChunks; AddRetentionPolicy, RemoveRetentionPolicy
//	compress (the columnstore), now or by a policy    EnableCompression, CompressChunk, DecompressChunk, DisableCompression;
//	                                                  AddCompressionPolicy, RemoveCompressionPolicy, GetCompressionStats
//	keep chunks in an index's order                   AddReorderPolicy, RemoveReorderPolicy, ReorderChunk
//	keep an aggregate up to date                      CreateContinuousAggregate, RefreshContinuousAggregate, AddRefreshPolicy,
//	                                                  RemoveRefreshPolicy, DropContinuousAggregate, ContinuousAggregates
//	rows by time buckets, gaps filled                 TimeBucket
//	look after the background jobs                    Jobs, AlterJob, RunJob, DeleteJob, AddJob
//	sizes and row counts                              GetSize, ApproximateRowCount
//
// Statements are written in the form that the installed version of the extension knows: hypertables by dimension builders from
// 2.13, the columnstore's names from 2.18, the older forms before. Functions that change something ask for that version first
// and call the extension's functions in the schema that it was created in; those that only read need that schema on the
// search path, where it is by default.
//
// A database without the extension gives [admin.ErrExtensionNotAvailable], a server with TimescaleDB's Apache licence
// [ErrLicense] for what that licence leaves out, and a table that is no hypertable [ErrNotHypertable]. Each of them wraps
// what the server said.
//
// Tables, views and indexes are strings as ext.ParseName reads them; columns are taken literally.
package timescale
