package driver

import "testing"

func TestCommandTags(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]int64{
		"SELECT 0": 0, "SELECT 1": 1, "SELECT 12345678901": 12345678901, "INSERT 0 1": 1, "INSERT 0 42": 42, "UPDATE 1": 1, "DELETE 1": 1,
		"DELETE 7": 7, "MERGE 3": 3, "COPY 5": 5, "FETCH 2": 2, "MOVE 9": 9, "CREATE TABLE": 0, "BEGIN": 0, "COMMIT": 0, "ROLLBACK": 0, "": 0,
		"CREATE TABLE AS": 0, "SELECT": 0, "DISCARD ALL": 0,
	} {
		if got := commandTag([]byte(tag)); got != tag {
			t.Errorf("commandTag(%q) = %q", tag, got)
		}
		if got := tagCount(tag); got != want {
			t.Errorf("tagCount(%q) = %d, want %d", tag, got, want)
		}
	}
}

func TestVersionNum(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{
		"15.18 (Debian 15.18-0+deb12u1)": 150018, "18.4": 180004, "17beta1": 170000, "19devel": 190000, "18rc2": 180000, "14.0": 140000,
		"11.2-YB-2.25.0.0-b0": 110002, "16": 160000, "9.6.24": 90624, "": 0, "beta": 0, ".5": 0,
	} {
		if got := versionNum(version); got != want {
			t.Errorf("versionNum(%q) = %d, want %d", version, got, want)
		}
	}
}
