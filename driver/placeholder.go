package driver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formatted is a statement whose %s or %(name)s placeholders have become $1, $2, …
type formatted struct {
	sql   string
	count int      // positional placeholders
	names []string // of named placeholders, in the order of their numbers
}

// formatPlaceholders translates psycopg's placeholders: %s, %b and %t take the arguments in order, %(name)s and its like by
// name, %% is a per cent sign. As in psycopg they count everywhere, in strings and comments too.
func formatPlaceholders(sql string) (formatted, error) {
	var f formatted
	var b strings.Builder
	from := 0
	for {
		i := strings.IndexByte(sql[from:], '%')
		if i < 0 {
			b.WriteString(sql[from:])
			break
		}
		at := from + i
		b.WriteString(sql[from:at])
		p, err := readPlaceholder(sql, at)
		if err != nil {
			return formatted{}, err
		}
		from = p.end
		switch {
		case p.percent:
			b.WriteByte('%')
		case p.named:
			b.WriteString("$" + strconv.Itoa(f.number(p.name)))
		default:
			f.count++
			b.WriteString("$" + strconv.Itoa(f.count))
		}
		if f.count > 0 && len(f.names) > 0 {
			return formatted{}, fmt.Errorf("driver: placeholder at byte %d: positional and named placeholders cannot be mixed", at)
		}
	}
	f.sql = b.String()
	return f, nil
}

func firstOf(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// number is the number of a named placeholder; the same name has the same one.
func (f *formatted) number(name string) int {
	if i := slices.Index(f.names, name); i >= 0 {
		return i + 1
	}
	f.names = append(f.names, name)
	return len(f.names)
}

// placeholder is one % of a statement with what belongs to it.
type placeholder struct {
	percent bool // %%
	named   bool
	name    string
	end     int // offset behind it
}

func readPlaceholder(sql string, at int) (placeholder, error) {
	p := placeholder{end: at + 1}
	if p.end < len(sql) && sql[p.end] == '(' {
		n := strings.IndexByte(sql[p.end:], ')')
		if n < 0 {
			return p, fmt.Errorf("driver: placeholder at byte %d: the name has no closing parenthesis", at)
		}
		if n == 1 {
			return p, fmt.Errorf("driver: placeholder at byte %d: the name is empty", at)
		}
		p.named, p.name = true, sql[p.end+1:p.end+n]
		p.end += n + 1
	}
	if p.end >= len(sql) || strings.IndexByte(" \t\r\n", sql[p.end]) >= 0 {
		return p, fmt.Errorf("driver: placeholder at byte %d: %q is incomplete; a per cent sign is written %%%%", at, sql[at:p.end])
	}
	kind, size := utf8.DecodeRuneInString(sql[p.end:])
	p.end += size
	switch {
	case kind == '%' && !p.named:
		p.percent = true
	case kind != 's' && kind != 'b' && kind != 't':
		return p, fmt.Errorf("driver: placeholder at byte %d: only %%s, %%b and %%t are placeholders, got %q", at, sql[at:p.end])
	}
	return p, nil
}

// bind returns the arguments in the order of their numbers. Named ones come as sql.Named arguments or as one
// map[string]any; what the statement does not name is left out, as psycopg does.
func (f formatted) bind(args []any, names []string) ([]any, error) {
	isNamed := slices.ContainsFunc(names, func(name string) bool { return name != "" })
	if len(f.names) == 0 {
		_, isMap := firstOf(args).(map[string]any)
		switch {
		case f.count == 0 && (isNamed || isMap && len(args) == 1):
			return nil, nil
		case isNamed:
			return nil, errors.New("driver: the statement has positional placeholders (%s), but named arguments were given")
		case len(args) != f.count:
			return nil, fmt.Errorf("driver: the statement has %d placeholders, but %d arguments were given", f.count, len(args))
		}
		return args, nil
	}
	byName := make(map[string]any, len(args))
	for i, v := range args {
		if m, ok := v.(map[string]any); ok && names[i] == "" && len(args) == 1 {
			byName = m
			break
		}
		if names[i] == "" {
			return nil, errors.New("driver: the statement has named placeholders: give sql.Named arguments or one map[string]any")
		}
		byName[names[i]] = v
	}
	return f.pick(byName)
}

func (f formatted) pick(byName map[string]any) ([]any, error) {
	values := make([]any, len(f.names))
	var missing []string
	for i, name := range f.names {
		v, ok := byName[name]
		if !ok {
			missing = append(missing, name)
		}
		values[i] = v
	}
	if missing != nil {
		return nil, fmt.Errorf("driver: no argument for the placeholders %s", strings.Join(missing, ", "))
	}
	return checkArgs(values)
}
