package admin

import "testing"

func TestChainsOfSessions(t *testing.T) {
	t.Parallel()
	s := func(pid int32, by ...int32) Session {
		return Session{PID: pid, User: "u", State: "active", BlockedBy: by}
	}
	line := func(pid string) string { return pid + " u () active: \n" }
	queue := []Session{s(1)}
	for pid := int32(2); pid < 300; pid++ {
		ahead := s(pid)
		for by := int32(1); by < pid; by++ {
			ahead.BlockedBy = append(ahead.BlockedBy, by)
		}
		queue = append(queue, ahead)
	}
	if got := chains(queue); len(got) != 1 || len(got[0].Waiting) != 298 {
		t.Errorf("a long queue: %d chains", len(got))
	}
	for _, c := range []struct {
		name     string
		sessions []Session
		want     string
	}{
		{"none", nil, ""},
		{"two ahead of one", []Session{s(1), s(2), s(3, 1, 2)}, line("1") + "  " + line("3") + line("2") + "  " + line("3")},
		{"a prepared transaction", []Session{s(1, 0)}, "a prepared transaction\n  " + line("1")},
		{"a circle", []Session{s(1, 2), s(2, 1), s(3, 2)}, line("1") + "  " + line("2") + "    " + line("3")},
		{"a queue", []Session{s(1), s(2, 1), s(3, 1, 2), s(4, 3)}, line("1") + "  " + line("2") + "  " + line("3") + "    " + line("4")},
		{"one that has ended", []Session{s(1, 9)}, "9  () : \n  " + line("1")},
	} {
		got := ""
		for _, b := range chains(c.sessions) {
			got += b.String() + "\n"
		}
		if got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
	}
}
