package copyin

import "testing"

func TestContextSaysWhichRow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		where, table string
		columns      []string
		want         RowError
		ok           bool
	}{
		{where: `COPY t, line 3, column b: "x"`, want: RowError{Row: 3, Column: "b", Value: "x"}, ok: true},
		{where: `COPY t, line 12: "1,2,3"`, want: RowError{Row: 12}, ok: true},
		{where: `COPY t, line 12`, want: RowError{Row: 12}, ok: true},
		{where: `COPY t, line 3, column b: null input`, want: RowError{Row: 3, Column: "b"}, ok: true},
		{where: `COPY t, line 3, column b`, want: RowError{Row: 3, Column: "b"}, ok: true},
		{where: `COPY t, Zeile 3, Spalte b: »x«`, want: RowError{Row: 3, Column: "b", Value: "x"}, ok: true},
		{where: "PL/pgSQL function f() line 3 at RAISE\nCOPY t, line 7", want: RowError{Row: 7}, ok: true},
		{where: `COPY a, line 9, column b, line 3, column c: d: "x"`, table: "a, line 9, column b", columns: []string{"c", "c: d"}, want: RowError{Row: 3, Column: "c: d", Value: "x"}, ok: true},
		{where: `COPY t`},
		{where: `SQL statement "COPY"`},
		{where: ``},
	}
	for _, tt := range tests {
		got, ok := parseContext(tt.where, tt.table, tt.columns)
		if ok != tt.ok || ok && *got != tt.want {
			t.Errorf("%s: %+v, %v, want %+v", tt.where, got, ok, tt.want)
		}
	}
}
