package mock_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/sqltest/mock"
)

// fataler is a recorder whose Fatalf ends the goroutine, as a test's does.
type fataler struct{ *recorder }

func (f fataler) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

func TestExpectationsThatMakeNoSenseAreNamed(t *testing.T) {
	t.Parallel()
	for want, expect := range map[string]func(m *mock.Mock){
		"FailAtRow(0":            func(m *mock.Mock) { m.ExpectCopyIn("item").FailAtRow(0, mock.PgError("23505", mock.Fields{})) },
		"needs an error":         func(m *mock.Mock) { m.ExpectCopyIn("item").FailAtRow(1, nil) },
		"ExpectListen":           func(m *mock.Mock) { m.ExpectListen() },
		"WillLoseAfterRows(-1)":  func(m *mock.Mock) { m.ExpectQuery("select").WillLoseAfterRows(-1) },
		"WillLose: no moment 77": func(m *mock.Mock) { m.ExpectExec("select").WillLose(77) },
		"WillDelayFor(-1ns)":     func(m *mock.Mock) { m.ExpectExec("select").WillDelayFor(-1) },
		"never be ready":         func(m *mock.Mock) { m.ExpectExec("select").WillBlockUntil(nil) },
		"3 types for the 2":      func(m *mock.Mock) { m.ExpectCopyIn("item", "id", "name").WithTypes("int8", "text", "text") },
		`severity "LOUD"`:        func(m *mock.Mock) { m.ExpectExec("select").WillNotice("LOUD", "00000", "x") },
		`SQLSTATE "1"`:           func(m *mock.Mock) { m.ExpectExec("select").WillNotice("NOTICE", "1", "x") },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			_, m := mock.NewWith(fataler{r}, mock.Options{Unmet: true})
			func() {
				defer func() { recover() }()
				expect(m)
			}()
			if got := r.end(); !strings.Contains(got, want) {
				t.Errorf("reported %q, want %q in it", got, want)
			}
		})
	}
}
