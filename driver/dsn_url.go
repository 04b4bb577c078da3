package driver

import (
	"errors"
	"slices"
	"strings"
)

// cutScheme removes postgres:// or postgresql://, with or without the name of another driver (postgresql+asyncpg://).
func cutScheme(s string) (rest string, ok bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s, false
	}
	base, _, _ := strings.Cut(scheme, "+")
	if base != "postgres" && base != "postgresql" || strings.ContainsAny(scheme, "='"+dsnSpace) {
		return s, false
	}
	return rest, true
}

// parseURL reads what follows the scheme: [user[:password]@][host[:port],…][/database][?key=value&…].
func parseURL(s string) (map[string]string, error) {
	out := map[string]string{}
	if i := strings.IndexAny(s, "@/"); i >= 0 && s[i] == '@' {
		// An "@" in the password is taken as lib/pq does: no host has one, and an error must not show it as part of one.
		i += strings.LastIndexByte(s[i:i+indexAnyOrEnd(s[i:], "/?")], '@')
		user, password, _ := strings.Cut(s[:i], ":")
		if err := addDecoded(out, "user", user); err != nil {
			return nil, err
		}
		if err := addDecoded(out, "password", password); err != nil {
			return nil, err
		}
		s = s[i+1:]
	} else if path, _, _ := strings.Cut(s, "?"); strings.Contains(path, "@") {
		return nil, &ParseError{Key: "password", Reason: `a "/" in the user or password must be written %2F, and an "@" in the database %40`}
	}
	s, err := parseAuthority(s, out)
	if err != nil {
		return nil, err
	}
	path, query, hasQuery := strings.Cut(s, "?")
	if err := addDecoded(out, "dbname", strings.TrimPrefix(path, "/")); err != nil {
		return nil, err
	}
	if hasQuery {
		return out, parseQuery(query, out)
	}
	return out, nil
}

// parseAuthority reads the list of hosts and ports and returns what follows it.
func parseAuthority(s string, out map[string]string) (string, error) {
	var hosts, ports strings.Builder
	for {
		if strings.HasPrefix(s, "[") {
			end := strings.IndexByte(s, ']')
			if end <= 1 {
				return "", &ParseError{Key: "host", Reason: `an IPv6 address needs both brackets and something between them`}
			}
			hosts.WriteString(s[1:end])
			if s = s[end+1:]; s != "" && !strings.ContainsRune(":/?,", rune(s[0])) {
				return "", &ParseError{Key: "host", Reason: `only ":", "/", "?" or "," may follow an IPv6 address`}
			}
		} else {
			end := indexAnyOrEnd(s, ":/?,")
			hosts.WriteString(s[:end])
			s = s[end:]
		}
		if strings.HasPrefix(s, ":") {
			end := indexAnyOrEnd(s[1:], "/?,") + 1
			ports.WriteString(s[1:end])
			s = s[end:]
		}
		if !strings.HasPrefix(s, ",") {
			break
		}
		s = s[1:]
		hosts.WriteByte(',')
		ports.WriteByte(',')
	}
	if err := addDecoded(out, "host", hosts.String()); err != nil {
		return "", err
	}
	return s, addDecoded(out, "port", ports.String())
}

// parseQuery reads key=value&…. A "+" is itself, as in libpq and pgx, and with compat=pq a space, as in lib/pq, whose
// programs write their queries with url.Values.
func parseQuery(s string, out map[string]string) error {
	if slices.ContainsFunc(strings.Split(s, "&"), isCompatPq) {
		s = strings.ReplaceAll(s, "+", "%20")
	}
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, "&")
		rawKey, rawValue, ok := strings.Cut(pair, "=")
		key, err := decodePercent(rawKey)
		if err != nil {
			return &ParseError{Reason: "a key after the ? has " + err.Error()}
		}
		if !ok { // the part may be the rest of a secret
			return &ParseError{Reason: `each part after the ? needs a "="`}
		}
		value, err := decodePercent(rawValue)
		if err != nil {
			return &ParseError{Key: key, Reason: err.Error()}
		}
		addSetting(out, key, value)
	}
	return nil
}

// isCompatPq tells whether a part of the query is compat=pq.
func isCompatPq(pair string) bool {
	pair, err := decodePercent(pair)
	return err == nil && pair == "compat="+string(CompatPq)
}

// addDecoded stores a part of the URL unless it is empty.
func addDecoded(out map[string]string, key, raw string) error {
	if raw == "" {
		return nil
	}
	value, err := decodePercent(raw)
	if err != nil {
		return &ParseError{Key: key, Reason: err.Error()}
	}
	out[key] = value
	return nil
}

// decodePercent decodes %XX. Spaces around are dropped, spaces within are refused, as libpq does.
func decodePercent(s string) (string, error) {
	s = strings.Trim(s, " ")
	if strings.Contains(s, " ") {
		return "", errors.New("a space, which must be written %20")
	}
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return "", errors.New("a % that is not followed by two hexadecimal digits")
		}
		b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
		i += 2
	}
	return b.String(), nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func indexAnyOrEnd(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}
