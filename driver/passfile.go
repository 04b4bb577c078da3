package driver

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// passwordFor is the password for one host: the Config's own, or that of the password file. The second result says why
// an existing file was not used.
func (c *Config) passwordFor(h HostSpec) (password, ignored string) {
	if c.Password != "" {
		return c.Password, ""
	}
	path := orDefault(c.PassFile, c.userFile(".pgpass", "pgpass.conf"))
	if path == "" {
		return "", ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", ""
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Sprintf("password file %q is not a plain file", path)
	}
	if openToOthers(info.Mode()) {
		return "", fmt.Sprintf("password file %q is open to group or others, it needs mode 0600", path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Sprintf("password file %q cannot be read", path)
	}
	names := []string{orDefault(h.Host, h.HostAddr)}
	if isSocketDir(names[0]) {
		names = append(names, "localhost")
	}
	return findPassword(string(body), names, strconv.Itoa(int(h.Port)), c.database(), c.User), ""
}

// findPassword takes the first line host:port:database:user:password that matches; * matches all, \ protects : and \.
func findPassword(body string, hosts []string, port, database, user string) string {
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := splitPassLine(line)
		if len(fields) != 5 {
			continue
		}
		hostMatches := false
		for _, h := range hosts {
			hostMatches = hostMatches || matches(fields[0], h)
		}
		if hostMatches && matches(fields[1], port) && matches(fields[2], database) && matches(fields[3], user) {
			return unescapePass(fields[4])
		}
	}
	return ""
}

// splitPassLine splits at the first four colons that are not escaped; the password keeps its own.
func splitPassLine(line string) []string {
	var fields []string
	start := 0
	for i := 0; i < len(line) && len(fields) < 4; i++ {
		switch line[i] {
		case '\\':
			i++
		case ':':
			fields = append(fields, line[start:i])
			start = i + 1
		}
	}
	return append(fields, line[start:])
}

func matches(field, value string) bool { return field == "*" || unescapePass(field) == value }

func unescapePass(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
