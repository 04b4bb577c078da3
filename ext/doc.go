// Package ext gives every *sql.DB, *sql.Conn and *sql.Tx of the driver, and what wraps them, what database/sql has no methods
// for.
//
//	I want to …                                          function
//	rows as structs, maps, slices or values              Query, Lax for rows that may differ
//	the first row, or the only one                       QueryOne, QueryExactlyOne
//	one value                                            QueryVal
//	rows read by a function of mine                      QueryFunc
//	rows one by one, in constant memory                  Stream; StreamPages with other statements in between
//	run a statement and see its command tag              Exec
//	columns and parameters of a statement                Describe
//	run a statement for many sets of arguments           ExecMany, ExecManySeq; QueryMany for their rows
//	insert many rows                                     InsertMany, InsertManySeq; InsertReturning for generated values
//	insert or update many rows                           UpsertMany
//	update, delete, find or count rows by a condition    UpdateWhere, DeleteWhere, Exists, Count
//	a page of rows                                       Paginate
//	a transaction, a savepoint, retries                  InTx; Savepoint for other packages' transactions
//	undo a block without an error                        Rollback, TxOptions.ForceRollback
//	commit on several databases, or in two phases        BeginTPC, CommitPrepared, RollbackPrepared, RecoverPrepared
//	one connection for a while, psycopg's implicit BEGIN WithSession, SetSession, CommitSession, RollbackSession
//	what the server says beside results                  WithNotices for some calls, OnNotice for a connection
//	notifications that arrive during statements          OnNotification, TakeNotifications; Ring; package listen
//	log statements, slow ones, notices                   LogQueries, LogNotices, NoticeLogger
//	a Go type that stands for a PostgreSQL type          RegisterType
//	composites, arrays, JSON, ranges and other values    Query, LoadTypes; Array, JSON, Composite, Into for plain Scan
//	what a type is made of                               LookupType
//	a statement that no transaction may hold             ExecOutsideTx
//	many statements in one round trip                    Pipeline, with QueueQuery, QueueOne, QueueVal
//	a cursor on the server, fetched and moved at will    DeclareCursor, AttachCursor; FetchOne, FetchMany, FetchAll, FetchPages
//	stop what a connection runs, from elsewhere          a context; NewCanceler
//	server, session, host and parameters of a handle     Info
//	call a function or a procedure                       CallFunc, CallProc
//	large objects                                        OpenLargeObject, ImportLargeObject, ExportLargeObject
//	a statement from names, values and other pieces      SQL, Ident, Literal, Arg, Join
//	a statement with its arguments in the text           Mogrify, MogrifyFormat
//	quote a name or a text, read a table's name          QuoteName, QuoteLiteral, ParseName
//
// Functions that take a [Querier] run ordinary statements, which mocks, loggers and tracers see. Those that need the
// connection itself (ExecMany, InsertMany, Describe and the like) reach it with driver.Do: through wrappers too, with one
// statement for a mock, and with an error that says so where the handle leads to another driver.
//
// Tables, views and types are strings as [ParseName] reads them: "users", "app.users", "app.\"odd.name\"". Columns are taken
// literally.
package ext
