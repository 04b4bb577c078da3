package driver

import (
	"strconv"
	"strings"
)

const dsnSpace = " \t\n\r\v\f"

// parseKeyValue reads libpq's "key = 'value' …" form. A later key replaces an earlier one.
func parseKeyValue(s string) (map[string]string, error) {
	out := map[string]string{}
	last := ""
	for s = strings.TrimLeft(s, dsnSpace); s != ""; s = strings.TrimLeft(s, dsnSpace) {
		end := strings.IndexAny(s, "="+dsnSpace)
		rest := ""
		if end >= 0 {
			rest = strings.TrimLeft(s[end:], dsnSpace)
		}
		if rest == "" || rest[0] != '=' {
			if scheme, _, ok := strings.Cut(s, "://"); ok && last == "" && !strings.ContainsAny(scheme, "@:='"+dsnSpace) {
				return nil, &ParseError{Reason: strconv.Quote(scheme) + ` is no scheme of PostgreSQL: postgres:// or postgresql://`}
			}
			// The word is not shown: it may be the second half of a password with a space in it.
			return nil, &ParseError{Key: last, Reason: `a word without "=" follows (quote values that contain spaces)`}
		}
		key := s[:end]
		if key == "" {
			return nil, &ParseError{Key: last, Reason: `"=" follows without a key before it`}
		}
		value, tail, ok := readValue(strings.TrimLeft(rest[1:], dsnSpace))
		if !ok {
			return nil, &ParseError{Key: key, Reason: "the closing quote is missing"}
		}
		addSetting(out, key, value)
		s, last = tail, key
	}
	return out, nil
}

// readValue reads one value, in quotes or not, with backslash escapes; rest is what follows it.
func readValue(s string) (value, rest string, ok bool) {
	quoted := strings.HasPrefix(s, "'")
	if quoted {
		s = s[1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case quoted && ch == '\'':
			return b.String(), s[i+1:], true
		case !quoted && strings.IndexByte(dsnSpace, ch) >= 0:
			return b.String(), s[i:], true
		default:
			b.WriteByte(ch)
		}
	}
	return b.String(), "", !quoted
}

// appendSetting adds key=value to a DSN of the key=value form.
func appendSetting(dst []byte, key, value string) []byte {
	if len(dst) > 0 {
		dst = append(dst, ' ')
	}
	dst = append(dst, key...)
	dst = append(dst, '=')
	if value != "" && !strings.ContainsAny(value, dsnSpace+`'\`) {
		return append(dst, value...)
	}
	dst = append(dst, '\'')
	for i := 0; i < len(value); i++ {
		if value[i] == '\'' || value[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, value[i])
	}
	return append(dst, '\'')
}
