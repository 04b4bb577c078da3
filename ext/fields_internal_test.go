package ext

import (
	"strings"
	"testing"
)

func TestSnakeCase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ID": "id", "UserID": "user_id", "HTTPServer2": "http_server2", "A": "a", "CreatedAt": "created_at", "URL": "url",
		"MyURLPath": "my_url_path", "Snake_Case": "snake_case", "ÄrgerNis": "ärger_nis", "X1Y": "x1_y",
	} {
		if got := snakeCase(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzParseTag(f *testing.F) {
	for _, seed := range []string{"", "-", "name", "name,omitzero", ",omitzero", "a,b", ",,", "x,omitzero,omitzero"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		column, omitZero, err := parseTag(tag)
		if strings.Contains(column, ",") || omitZero && !strings.Contains(tag, ",omitzero") {
			t.Errorf("%q is column %q, %v", tag, column, omitZero)
		}
		if (err == nil) != (strings.Trim(strings.ReplaceAll(tag[len(column):]+",", ",omitzero", ""), ",") == "" && !strings.Contains(tag, ",,") && !strings.HasSuffix(tag, ",")) {
			t.Errorf("%q: error %v", tag, err)
		}
	})
}

func TestTagCommand(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"INSERT 0 3": "INSERT", "SELECT 5": "SELECT", "CREATE TABLE": "CREATE TABLE", "": "", "COPY 7": "COPY", "CREATE TABLE AS": "CREATE TABLE AS",
	} {
		if got := tagCommand(tag); got != want {
			t.Errorf("%q: %q, want %q", tag, got, want)
		}
	}
}
