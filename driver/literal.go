package driver

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// QuoteLiteral quotes text for SQL as libpq does: quotes are doubled, and a text with backslashes is an escape string, so that
// it means the same whatever standard_conforming_strings says. It checks nothing: a NUL byte or invalid UTF-8, which no
// literal can hold, fails the statement before it is sent.
func QuoteLiteral(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.IndexByte(text, '\\') < 0 {
		return quoted
	}
	return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
}

// Literal is the SQL literal of a value that may be an argument: NULL, numbers and truth values bare, all others quoted. Those
// that have one type (time.Time, time.Duration, []byte) are cast to it; texts, arrays and the rest are left to the server, as
// arguments are. Valuers are called.
func Literal(v any) (string, error) {
	v, err := checkArg(v)
	if err != nil {
		return "", err
	}
	c := newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, func() *time.Location { return time.UTC })
	c.byGoType = true
	return c.literal(v)
}

func (c *codecs) literal(v any) (string, error) {
	if n, unsigned, ok := integer(v); ok {
		if unsigned {
			return strconv.FormatUint(uint64(n), 10), nil
		}
		return strconv.FormatInt(n, 10), nil
	}
	switch v := v.(type) {
	case nil:
		return "NULL", nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return floatLiteral(v, 64), nil
	case float32:
		return floatLiteral(float64(v), 32), nil
	case *big.Int:
		return v.String(), nil
	}
	text, null, err := c.appendText(nil, literalType(v), v)
	if errors.Is(err, errNoText) {
		text, null, err = c.appendJSON(nil, v)
	}
	if err == nil && !null {
		err = checkText(string(text), fmt.Sprintf("%T", v))
	}
	switch {
	case err != nil:
		return "", err
	case null:
		return "NULL", nil
	}
	return QuoteLiteral(string(text)) + literalCast(v), nil
}

// literalType is the type whose text a value has, 0 where the server decides.
func literalType(v any) uint32 {
	switch v.(type) {
	case []byte:
		return pgtype.ByteaOID
	case time.Time:
		return pgtype.TimestamptzOID
	case time.Duration:
		return pgtype.IntervalOID
	}
	return 0
}

func literalCast(v any) string {
	if name, ok := builtinTypeName(literalType(v)); ok {
		return "::" + strings.ToLower(name)
	}
	return ""
}

func floatLiteral(f float64, bits int) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return QuoteLiteral(string(appendFloat(nil, f))) + "::float8"
	}
	text := strconv.FormatFloat(f, 'g', -1, bits)
	if !strings.ContainsAny(text, ".e") {
		text += ".0" // 3.0 / 2 is no division of integers
	}
	return text
}

// Interpolate puts arguments into a statement in place of its placeholders, as literals: for logs, and for what takes no
// arguments. Numbers below zero are in parentheses. Placeholders are $1, $2, …, @name for sql.Named arguments, or psycopg's
// for [PlaceholderFormat], where a text without arguments is left as it is.
//
// A text whose placeholders depend on standard_conforming_strings, because of a backslash in a plain string, is an error.
func Interpolate(placeholder Placeholder, text string, args ...any) (string, error) {
	if placeholder == PlaceholderFormat && len(args) == 0 {
		return text, nil
	}
	if err := checkSQL(text); err != nil {
		return "", err
	}
	text, args, err := numbered(placeholder, text, args)
	if err != nil {
		return "", err
	}
	places, err := placesOf(text)
	if err != nil {
		return "", err
	}
	literals := make([]string, len(args))
	for i, v := range args {
		if literals[i], err = Literal(v); err != nil {
			return "", fmt.Errorf("driver: argument $%d: %w", i+1, err)
		}
		if strings.HasPrefix(literals[i], "-") {
			literals[i] = "(" + literals[i] + ")"
		}
	}
	return fillPlaces(text, places, literals)
}

// numbered turns the placeholders into $1, $2, ….
func numbered(placeholder Placeholder, text string, args []any) (string, []any, error) {
	named, values, isNamed := make([]sqldriver.NamedValue, len(args)), make([]any, len(args)), false
	for i, v := range args {
		n, ok := v.(sql.NamedArg)
		if ok {
			v, isNamed = n.Value, true
		}
		named[i] = sqldriver.NamedValue{Ordinal: i + 1, Name: n.Name, Value: v}
		values[i] = v
	}
	if placeholder == PlaceholderFormat {
		f, err := formatPlaceholders(text)
		if err != nil {
			return "", nil, err
		}
		names := make([]string, len(args))
		for i := range named {
			names[i] = named[i].Name
		}
		values, err = f.bind(values, names)
		return f.sql, values, err
	}
	if !isNamed {
		return text, values, nil
	}
	return numberNamed(text, named, values, true)
}

// placesOf finds the placeholders of a text.
func placesOf(text string) ([]token, error) {
	places := placeholders(text, true)
	if strings.IndexByte(text, '\\') < 0 {
		return places, nil
	}
	other := placeholders(text, false)
	for i := range max(len(places), len(other)) {
		if i >= len(places) || i >= len(other) || places[i] != other[i] {
			return nil, errors.New("driver: a backslash in a plain string makes the placeholders depend on standard_conforming_strings: write the string as E'…'")
		}
	}
	return places, nil
}

func placeholders(text string, standard bool) (places []token) {
	l := lexer{sql: text, standard: standard}
	for t := l.next(); t.kind != 0; t = l.next() {
		if t.kind == 'p' {
			places = append(places, t)
		}
	}
	return places
}

func fillPlaces(text string, places []token, literals []string) (string, error) {
	if highest := countPlaceholders(text, true); highest != len(literals) {
		return "", fmt.Errorf("driver: the statement has %d placeholders, but %d arguments were given", highest, len(literals))
	}
	var b apart
	from := 0
	for _, t := range places {
		n, _ := strconv.Atoi(t.text[1:]) // digits, at most as many as literals
		if n == 0 {
			return "", fmt.Errorf("driver: placeholder at byte %d: there is no argument $0", t.start)
		}
		b.add(text[from:t.start])
		b.add(literals[n-1])
		from = t.start + len(t.text)
	}
	b.add(text[from:])
	return b.String(), nil
}

// apart joins pieces of SQL text so that the tokens at their ends stay apart: 'a' and 'b' would be one string.
type apart struct{ strings.Builder }

func (b *apart) add(piece string) {
	if piece == "" {
		return
	}
	if s := b.String(); s != "" && sticks(s[len(s)-1]) && sticks(piece[0]) {
		b.WriteByte(' ')
	}
	b.WriteString(piece)
}

// sticks reports whether c can be part of a token that another one would change: & is that of U&'…'.
func sticks(c byte) bool { return isWordPart(c) || c == '\'' || c == '&' }
