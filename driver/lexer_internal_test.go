package driver

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// shape is the kinds of the tokens of sql.
func shape(sql string, standard bool) string {
	l := lexer{sql: sql, standard: standard}
	var kinds strings.Builder
	for t := l.next(); t.kind != 0; t = l.next() {
		kinds.WriteByte(t.kind)
	}
	return kinds.String()
}

func TestLexerTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sql      string
		standard string // kinds with standard_conforming_strings=on
		escapes  string // and off, "" when the same
	}{
		{sql: "", standard: ""},
		{sql: " \t\r\n\f\v", standard: ""},
		{sql: "select $1, $23", standard: "wp,p"},
		{sql: "a$1", standard: "w"},
		{sql: "é1 + ü", standard: "w+w"},
		{sql: "'a''b;' x", standard: "qw"},
		{sql: `"a"";" x`, standard: "qw"},
		{sql: `'a\'; c'`, standard: "q;wq", escapes: "q"},
		{sql: `E'a\'; b' x`, standard: "qw"},
		{sql: `e'a\\' x`, standard: "qw"},
		{sql: `U&'a\' x`, standard: "qw"},
		{sql: `u&"a;" x`, standard: "qw"},
		{sql: `U & 'a'`, standard: "w&q"},
		{sql: "b'01' X'ff' n'x'", standard: "qqq"},
		{sql: "xx'a'", standard: "wq"},
		{sql: "$$ ; $1 ' $$ x", standard: "qw"},
		{sql: "$tag$ $$ ; $other$ $tag$;", standard: "q;"},
		{sql: "$é1$ ; $é1$", standard: "q"},
		{sql: "$1$ $2$", standard: "p$p$"},
		{sql: "$", standard: "$"},
		{sql: "$a", standard: "$"},
		{sql: "-- ; $1 '\nx", standard: "w"},
		{sql: "-- x\rselect", standard: "w"},
		{sql: "a - -- b", standard: "w-"},
		{sql: "/* ; /* ' */ $1 */ x", standard: "w"},
		{sql: "/* open", standard: ""},
		{sql: "a/b*c", standard: "w/w*w"},
		{sql: "'open", standard: "q"},
		{sql: `"open`, standard: "q"},
		{sql: "$$open", standard: "q"},
		{sql: `'\`, standard: "q"},
		{sql: "1e5 0x1f 1_000", standard: "000"},
	}
	for _, tt := range tests {
		if got := shape(tt.sql, true); got != tt.standard {
			t.Errorf("%q: tokens %q, want %q", tt.sql, got, tt.standard)
		}
		want := tt.escapes
		if want == "" {
			want = tt.standard
		}
		if got := shape(tt.sql, false); got != want {
			t.Errorf("%q without standard strings: tokens %q, want %q", tt.sql, got, want)
		}
	}
}

// severalTexts are texts and whether they hold more than one statement, as the server counts.
var severalTexts = map[string]bool{
	"":                         false,
	";":                        false,
	";;":                       false,
	"select 1":                 false,
	"select 1;":                false,
	"select 1 ; -- end":        false,
	"select 1;;":               false,
	"select 1; select 2":       true,
	";select 1":                true, // harmless: the simple protocol takes one, too
	"select ';' ; ":            false,
	"select 1; /* */ select 2": true,
	"select $$;$$":             false,
	"select 1 /* ; */":         false,
	"select '\\'; select 2":    true,
	"create rule r as on insert to item do also (select 1; select 2)":           false,
	"create function f() returns int language sql begin atomic select 1; end":   true, // in doubt
	"create function f() returns int language sql as $$ select 1; select 2 $$":  false,
	"create rule r as on insert to item do also (select 1; select 2); select 3": true,
}

func TestSeveralStatements(t *testing.T) {
	t.Parallel()
	for sql, want := range severalTexts {
		if got := severalStatements(sql, true); got != want {
			t.Errorf("severalStatements(%q) = %v, want %v", sql, got, want)
		}
	}
	if severalStatements(`select 'a\'; b'`, false) {
		t.Error("a semicolon in a string separates statements")
	}
}

func TestCountPlaceholders(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]int{
		"select 1": 0, "select $1": 1, "select $2, $10, $1": 10, "select '$3'": 0, "select a$1": 0, "select $$ $4 $$": 0,
		"select $99999999999999999999": maxParams + 1, "select $65535": 65535, "-- $1": 0, "select $1::int[]": 1, "$0": 0,
	} {
		if got := countPlaceholders(sql, true); got != want {
			t.Errorf("countPlaceholders(%q) = %d, want %d", sql, got, want)
		}
	}
}

func TestRefuseCopy(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"copy t from stdin": true, "COPY t TO STDOUT": true, "/* x */ copy (select 1) to stdout": true,
		"copy t from stdin with (format csv)": true, "copy t (stdin) to '/tmp/x'": false, "copy t from '/tmp/stdin'": false,
		"select 'copy t from stdin'": false, "copy (select stdin from x) to '/x'": false, `copy "stdin" to '/x'`: false, "": false,
		"copy t from program 'stdin'": false,
	} {
		if got := refuseCopy(sql, true) != nil; got != want {
			t.Errorf("refuseCopy(%q) refuses: %v, want %v", sql, got, want)
		}
	}
}

// serverCounts reports whether the server finds more than one statement in sql, ok false when it does not parse.
func serverCounts(t *testing.T, pg *pgconn.PgConn, sql string) (several, ok bool) {
	t.Helper()
	_, err := pg.Prepare(context.Background(), "", sql, nil)
	if err == nil {
		return false, true
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return strings.Contains(pgErr.Message, "multiple commands"), pgErr.Code != "42601" || strings.Contains(pgErr.Message, "multiple commands")
	}
	t.Fatal(err)
	return false, false
}

func TestSeveralStatementsAsTheServerCounts(t *testing.T) {
	t.Parallel()
	pg, err := pgconn.Connect(t.Context(), TestServerDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close(context.Background())
	pieces := []string{
		"select 1", ";", "'a;b'", "''", "$$;$$", "$x$;$x$", "--;\n", "/*;/*;*/;*/", `"a;"`, `E'\';'`, `E'\\'`, `U&'\0041'`, "(", ")", ",", "\n", " ", "select", "a", `'\'`, "b'1'", "1", "$1", "e", "x",
	}
	random := uint64(1)
	next := func(n int) int { random = random*6364136223846793005 + 1442695040888963407; return int(random>>33) % n }
	checked := 0
	for range 4000 {
		var b strings.Builder
		b.WriteString("select ")
		for range 1 + next(7) {
			b.WriteString(pieces[next(len(pieces))])
			if next(2) == 0 {
				b.WriteByte(' ')
			}
		}
		sql := b.String()
		several, ok := serverCounts(t, pg, sql)
		if !ok {
			continue
		}
		checked++
		if got := severalStatements(sql, true); got != several {
			t.Errorf("severalStatements(%q) = %v, the server says %v", sql, got, several)
		}
	}
	if checked < 200 {
		t.Errorf("only %d of the texts parse on the server", checked)
	}
}

func FuzzLexer(f *testing.F) {
	for sql := range severalTexts {
		f.Add(sql, true)
		f.Add(sql, false)
	}
	f.Add("$é$ \xff ' E'\\", true)
	f.Fuzz(func(t *testing.T, sql string, standard bool) {
		l := lexer{sql: sql, standard: standard}
		end := 0
		for {
			tok := l.next()
			if tok.start < end || tok.start > len(sql) {
				t.Fatalf("token %q starts at %d, behind %d", tok.text, tok.start, end)
			}
			if tok.kind == 0 && tok.text == "" {
				break
			}
			if tok.text == "" || sql[tok.start:tok.start+len(tok.text)] != tok.text {
				t.Fatalf("token %q is not the text at %d", tok.text, tok.start)
			}
			end = tok.start + len(tok.text)
		}
		if l.pos < len(sql) && l.pos < end {
			t.Fatalf("the lexer stopped at %d of %d", l.pos, len(sql))
		}
		severalStatements(sql, standard)
		countPlaceholders(sql, standard)
		refuseCopy(sql, standard)
	})
}
