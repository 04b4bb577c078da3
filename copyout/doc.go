// Package copyout reads tables and queries by COPY … TO STDOUT, on every *sql.DB, *sql.Conn and *sql.Tx of the driver and what
// wraps them, inside the caller's transaction.
//
//	I want …                                             function
//	a CSV file                                           CSV, CSVFile
//	many rows as Go values                               Rows
//	the stream of any COPY                               To, NewReader
//	to copy from one server to another                   Pipe
//	to read a file that a COPY has written               NewDecoder
package copyout
