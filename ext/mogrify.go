package ext

import (
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// QuoteLiteral quotes text for SQL: 'it”s'. A text with backslashes becomes an escape string with a blank ahead, " E'C:\\x'",
// which means the same whatever standard_conforming_strings says. It checks nothing: a NUL byte or invalid UTF-8, which no
// literal can hold, fails the statement before it is sent. Values of queries travel as arguments; this is for what takes
// none. [Literal] is for other values than text.
func QuoteLiteral(text string) string { return driver.QuoteLiteral(text) }

// Mogrify puts arguments into a statement in place of $1, $2, … (or of @name for sql.Named), as literals, and returns the text:
// for logs, for scripts, and for statements that take no arguments. It is right under both settings of
// standard_conforming_strings; a text that itself means different things under them is an error, and so are a wrong number
// of arguments and a value that no literal can hold.
func Mogrify(sql string, args ...any) (string, error) {
	return mogrify(driver.PlaceholderNative, sql, args)
}

// MogrifyFormat is [Mogrify] for psycopg's placeholders: %s, %(name)s and %%, as placeholder=format takes them. A text
// without arguments is left as it is.
func MogrifyFormat(sql string, args ...any) (string, error) {
	return mogrify(driver.PlaceholderFormat, sql, args)
}

func mogrify(placeholder driver.Placeholder, sql string, args []any) (string, error) {
	text, err := driver.Interpolate(placeholder, sql, args...)
	if err != nil {
		return "", fmt.Errorf("ext: mogrify: %w", err)
	}
	return text, nil
}
