// Package copyin loads rows with COPY FROM STDIN, the fastest way into PostgreSQL, through any *sql.DB, *sql.Conn or *sql.Tx of
// the driver, inside the caller's transaction where there is one.
//
//	I have                                  function
//	[][]any, a sequence, *sql.Rows          Rows
//	structs                                 Structs, StructsSeq
//	maps                                    Maps
//	a CSV file or stream, plain or gzip     CSVFile, CSV
//	so much that it takes several workers   Load
//	rows as they come, or an io.Writer      NewWriter
//	any COPY statement and its data         From
//	no server at hand                       NewEncoder
//
// The count is the server's. A failure of one row is a *[RowError], whoever finds it; a source's own error comes back as it
// is. After an error no row is kept and the connection is usable.
//
// # Large loads
//
// [Load] is for what takes minutes: it reads files, streams and sequences, splits CSV on several goroutines, and stores batches on
// several connections, each in a transaction of its own. Rows that conflict with those of the table are left out or update
// them, bad rows are left out into a file, failures that pass are tried again, and a load with an ImportID goes on after a crash
// where it stopped, without storing a row twice.
package copyin
