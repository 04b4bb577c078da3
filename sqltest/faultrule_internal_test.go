package sqltest

import "testing"

// The proxy reads on behind a cut. What it reads there must not use up a rule that was armed since, for the next connection.
func TestMessagesBehindACutMeetNoRule(t *testing.T) {
	t.Parallel()
	f := Fault{t: t}
	over, next := newFaultConn(&f, nil, nil), newFaultConn(&f, nil, nil)
	f.On(Rule{Side: Frontend, Type: 'Q'})
	close(over.done)
	if f.note(over, Frontend, 'Q') != nil {
		t.Error("the rule happened on a connection that is over")
	}
	if f.note(next, Frontend, 'Q') == nil {
		t.Error("the rule did not happen on the next connection")
	}
}
