// Package copyformat reads and writes the three formats of COPY, without a connection: fields are bytes, nil is NULL.
package copyformat
