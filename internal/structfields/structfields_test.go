package structfields_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/internal/structfields"
)

func TestSnakeCase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ID": "id", "UserID": "user_id", "HTTPServer2": "http_server2", "A": "a", "CreatedAt": "created_at", "URL": "url",
		"MyURLPath": "my_url_path", "Snake_Case": "snake_case", "ÄrgerNis": "ärger_nis", "X1Y": "x1_y",
	} {
		if got := structfields.SnakeCase(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzParseTag(f *testing.F) {
	for _, seed := range []string{"", "-", "name", "name,omitzero", ",omitzero", "a,b", ",,", "x,omitzero,omitzero"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		column, omitZero, err := structfields.ParseTag(tag)
		if strings.Contains(column, ",") || omitZero && !strings.Contains(tag, ",omitzero") {
			t.Errorf("%q is column %q, %v", tag, column, omitZero)
		}
		if (err == nil) != (strings.Trim(strings.ReplaceAll(tag[len(column):]+",", ",omitzero", ""), ",") == "" && !strings.Contains(tag, ",,") && !strings.HasSuffix(tag, ",")) {
			t.Errorf("%q: error %v", tag, err)
		}
	})
}
