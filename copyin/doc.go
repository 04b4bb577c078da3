// Package copyin fills tables by COPY … FROM STDIN, the fastest way into PostgreSQL, on every *sql.DB, *sql.Conn and *sql.Tx of
// the driver and what wraps them, inside the caller's transaction.
//
//	I want to copy …                                     function
//	rows of values, of a sequence, of a query            Rows
//	structs                                              Structs, StructsSeq
//	maps                                                 Maps
//	a CSV file, compressed or not                        CSV, CSVFile
//	a stream in any of COPY's formats                    From
//	rows that I push                                     NewWriter
//	rows into a file that a COPY will read               NewEncoder
//
// A COPY is all or nothing. Its rows travel in binary where every value has a binary form, else as text: what is stored is the
// same. The number of rows is the server's.
package copyin
