package ext_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/ext"
)

func TestXidIsWrittenAsPsycopgAndJDBCDo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		format       int32
		gtrid, bqual string
		want         string
	}{
		{1, "gtrid", "bqual", "1_Z3RyaWQ=_YnF1YWw="},
		{0, "", "", "0__"},
		{1<<31 - 1, "\x00\xff", "é", "2147483647_AP8=_w6k="},
		{42, strings.Repeat("x", 64), strings.Repeat("y", 64), "42_" + strings.Repeat("eHh4", 21) + "eA==_" + strings.Repeat("eXl5", 21) + "eQ=="},
	}
	for _, tt := range tests {
		xid, err := ext.NewXid(tt.format, tt.gtrid, tt.bqual)
		if err != nil || xid.String() != tt.want || xid.Foreign() {
			t.Errorf("%d, %q, %q: %q, %v, want %q", tt.format, tt.gtrid, tt.bqual, xid, err, tt.want)
		}
		parsed, err := ext.ParseXid(tt.want)
		if err != nil || parsed != xid || parsed.Format() != tt.format || parsed.GTRID() != tt.gtrid || parsed.BQual() != tt.bqual {
			t.Errorf("parsed %q: %+v, %v", tt.want, parsed, err)
		}
	}
}

func TestXidPartsAreCheckedInBytes(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func() (ext.Xid, error){
		"a negative format":         func() (ext.Xid, error) { return ext.NewXid(-1, "", "") },
		"65 bytes of gtrid":         func() (ext.Xid, error) { return ext.NewXid(1, strings.Repeat("x", 65), "") },
		"33 characters of 66 bytes": func() (ext.Xid, error) { return ext.NewXid(1, strings.Repeat("é", 33), "") },
		"65 bytes of bqual":         func() (ext.Xid, error) { return ext.NewXid(1, "", strings.Repeat("x", 65)) },
		"no gid":                    func() (ext.Xid, error) { return ext.ParseXid("") },
		"a gid of 200 bytes":        func() (ext.Xid, error) { return ext.ParseXid(strings.Repeat("é", 100)) },
		"a NUL byte":                func() (ext.Xid, error) { return ext.ParseXid("a\x00b") },
		"invalid UTF-8":             func() (ext.Xid, error) { return ext.ParseXid("a\xff") },
	} {
		if xid, err := make(); err == nil || xid != (ext.Xid{}) {
			t.Errorf("%s: %+v, no error", name, xid)
		}
	}
}

// foreignGIDs look like gids of NewXid, but would be written differently.
var foreignGIDs = []string{
	"mine", "1_Z3RyaWQ=", "01_Z3RyaWQ=_YnF1YWw=", "+1_Z3RyaWQ=_YnF1YWw=", "-1_Z3RyaWQ=_YnF1YWw=", "2147483648__",
	"1_Z3RyaWQ_YnF1YWw=", "1_Z3RyaWR=_YnF1YWw=", "1_Z3Ry\naWQ=_YnF1YWw=", "1_Z3RyaWQ=_YnF1YWw=_", "x_Z3RyaWQ=_YnF1YWw=",
	"1_" + strings.Repeat("eHh4", 22) + "_",
}

func TestForeignGIDsStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, gid := range foreignGIDs {
		xid, err := ext.ParseXid(gid)
		if err != nil || !xid.Foreign() || xid.String() != gid || xid.GTRID() != gid || xid.BQual() != "" || xid.Format() != 0 {
			t.Errorf("%q: %+v, %v", gid, xid, err)
		}
	}
}

func FuzzXid(f *testing.F) {
	f.Add(int32(1), "gtrid", "bqual", "1_Z3RyaWQ=_YnF1YWw=")
	for _, gid := range foreignGIDs {
		f.Add(int32(0), gid, "", gid)
	}
	f.Fuzz(func(t *testing.T, format int32, gtrid, bqual, gid string) {
		if xid, err := ext.NewXid(format, gtrid, bqual); err == nil {
			parsed, err := ext.ParseXid(xid.String())
			if err != nil || parsed != xid || parsed.GTRID() != gtrid || parsed.BQual() != bqual || parsed.Format() != format {
				t.Errorf("%+v is read as %+v, %v", xid, parsed, err)
			}
		}
		xid, err := ext.ParseXid(gid)
		if err != nil {
			return
		}
		if xid.String() != gid {
			t.Errorf("%q is read as %q", gid, xid)
		}
		if !xid.Foreign() {
			if again, err := ext.NewXid(xid.Format(), xid.GTRID(), xid.BQual()); err != nil || again != xid {
				t.Errorf("%q is written as %q, %v", gid, again, err)
			}
		}
	})
}
