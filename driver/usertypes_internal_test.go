package driver

import "testing"

func TestRowsOfOwnTypes(t *testing.T) {
	t.Parallel()
	row := func(fields ...string) (values [][]byte) {
		for _, f := range fields {
			values = append(values, []byte(f))
		}
		return values
	}
	oid, got, ok := parseUserType(row("16400", "23", "0", ",", "b"))
	if want := (userType{base: 23, delim: ',', kind: 'b'}); !ok || oid != 16400 || got != want {
		t.Errorf("type %d: %+v, %t", oid, got, ok)
	}
	for _, bad := range [][][]byte{nil, row("1", "2", "3", ","), row("x", "23", "0", ",", "b"), row("1", "99999999999", "0", ",", "b"), row("1", "2", "0", "", "b")} {
		if _, _, ok := parseUserType(bad); ok {
			t.Errorf("%q was taken for a type", bad)
		}
	}
}

func FuzzRowsOfOwnTypes(f *testing.F) {
	f.Add("16400", "23", "0", ",", "b")
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		if _, got, ok := parseUserType([][]byte{[]byte(a), []byte(b), []byte(c), []byte(d), []byte(e)}); ok && (d[0] != got.delim || e[0] != got.kind) {
			t.Errorf("%q %q became %+v", d, e, got)
		}
	})
}
