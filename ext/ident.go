package ext

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxName is the length of PostgreSQL's names in bytes (NAMEDATALEN - 1). The server cuts longer ones off.
const maxName = 63

// QuoteName quotes a name for SQL text: QuoteName("app", "odd.name") is "app"."odd.name". Each part is taken literally, case
// kept. It does not check the parts: [ParseName] and [CheckName] do.
func QuoteName(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(part, `"`, `""`))
		b.WriteByte('"')
	}
	return b.String()
}

// Name is the name of a table, view, index, sequence, type or function. Schema is "" where it is left to the search path.
type Name struct{ Schema, Name string }

// String is the name quoted for SQL text.
func (n Name) String() string {
	if n.Schema == "" {
		return QuoteName(n.Name)
	}
	return QuoteName(n.Schema, n.Name)
}

// ParseName reads a name as the functions of these packages take it: users, app.users, app."odd.name". A dot separates the
// schema, double quotes protect, "" in quotes is a quote, and case is kept with and without them (unlike in SQL text, where
// Users means users). More than two parts, an open quote, a quote in the middle of a part, an empty part, one over 63
// bytes, a NUL or invalid UTF-8 are errors.
func ParseName(text string) (Name, error) {
	var parts []string
	rest := text
	for {
		part, after, err := cutPart(rest)
		if err == nil {
			err = CheckName(part)
		}
		if err != nil {
			return Name{}, fmt.Errorf("ext: name %q: %w", text, err)
		}
		parts = append(parts, part)
		if after == "" {
			break
		}
		rest = after[1:] // behind the dot
	}
	switch len(parts) {
	case 1:
		return Name{Name: parts[0]}, nil
	case 2:
		return Name{Schema: parts[0], Name: parts[1]}, nil
	}
	return Name{}, fmt.Errorf("ext: name %q has %d parts: it takes a schema and a name, with dots in quotes", text, len(parts))
}

// cutPart takes the first part off. after is "" or starts with the dot.
func cutPart(text string) (part, after string, err error) {
	if !strings.HasPrefix(text, `"`) {
		part = text
		if i := strings.IndexByte(text, '.'); i >= 0 {
			part, after = text[:i], text[i:]
		}
		if strings.Contains(part, `"`) {
			return "", "", errors.New("a quote in the middle of a part")
		}
		return part, after, nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			b.WriteByte(text[i])
			continue
		}
		after = text[i+1:]
		switch {
		case after == "" || after[0] == '.':
			return b.String(), after, nil
		case after[0] == '"':
			b.WriteByte('"')
			i++
		default:
			return "", "", errors.New("something follows a closing quote")
		}
	}
	return "", "", errors.New("an open quote")
}

// CheckName reports why PostgreSQL cannot have a name: it is empty, too long (the server would cut it off), or not text.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("an empty name")
	case len(name) > maxName:
		return fmt.Errorf("a part of %d bytes: PostgreSQL takes %d", len(name), maxName)
	case strings.IndexByte(name, 0) >= 0:
		return errors.New("a NUL byte")
	case !utf8.ValidString(name):
		return errors.New("invalid UTF-8")
	}
	return nil
}

// quoteNames quotes each name and joins them with commas.
func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = QuoteName(name)
	}
	return strings.Join(quoted, ", ")
}
