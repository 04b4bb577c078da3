package driver

// What stands in for a server (sqltest/mock) or between database/sql and this driver has to know a few things about
// statements that only the driver can tell.

// IsCommand reports whether v, an argument of a statement, is the command by which [Do] reaches the connection. A
// connection that wraps one of this driver passes it on unchanged.
func IsCommand(v any) bool {
	_, ok := v.(*command)
	return ok
}

// IsSetting reports whether v, a leading argument of a statement, is none of its values but a setting of the call:
// [QueryOptions], or one of pgx's.
func IsSetting(v any) bool { return isSetting(v) }

// CopyText is what the text of a COPY from or to the client says.
type CopyText struct {
	In      bool     // COPY … FROM STDIN, else COPY … TO STDOUT
	Table   string   // as it is written, without blanks; "" of a query
	Columns []string // nil without a column list
	Options []string // the words and strings behind STDIN or STDOUT, in lower case, up to a WHERE
}

// ParseCopy reads the text of a COPY. ok is false when it is none that exchanges data with the client.
func ParseCopy(sql string) (t CopyText, ok bool) {
	cs, ok := parseCopy(sql, true)
	return CopyText{In: cs.in, Table: cs.table, Columns: cs.columns, Options: cs.options}, ok
}
