// Package copyout reads tables and queries with COPY TO STDOUT, the fastest way out of PostgreSQL, through any *sql.DB, *sql.Conn
// or *sql.Tx of the driver.
//
//	I want                                  function
//	a CSV file or stream                    CSVFile, CSV
//	Go values                               Rows
//	the raw data of any COPY                To, NewReader
//	another server's table to be filled     Pipe
//	to read a COPY file without a server    NewDecoder
package copyout
