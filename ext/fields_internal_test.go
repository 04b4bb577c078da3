package ext

import "testing"

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
