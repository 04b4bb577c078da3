package sqltest

// Action is what a Rule does to the message it waits for.
type Action int

// The actions. All but Corrupt are done before the message passes, or after it if Rule.After is set: no answer to it passes
// before the connection ends or freezes.
const (
	ActCut      Action = iota // ends the connection as Fault.Cut does
	ActReset                  // ends the connection as Fault.Reset does
	ActFreeze                 // calls Fault.Freeze
	ActCorrupt                // inverts the byte at Rule.Offset and lets the message pass
	ActTruncate               // lets Rule.Offset bytes of the message pass, then cuts the connection
	ActHold                   // waits until Rule.Until is closed; what follows on the way of the message waits, too
)

// Rule is one fault, done once. The zero value cuts a connection before the client's next message.
type Rule struct {
	Side   Side // who sends the message
	Type   byte // the message's type, AnyMessage for all
	Nth    int  // counted from 1 over all connections, from the call of On; 0 is 1
	Do     Action
	After  bool
	Offset int // byte of the message, its type letter being byte 0 and its length bytes 1 to 4; from the end if negative
	Until  <-chan struct{}
}

// armedRule is a Rule that has yet to happen.
type armedRule struct {
	Rule
	left int
	hit  chan struct{}
}

// On arms a rule. The channel is closed when the rule has done its work. A rule that makes no sense fails the test.
func (f *Fault) On(r Rule) <-chan struct{} {
	f.t.Helper()
	f.check(r.Side, r.Nth >= 0, "a rule for message %d", r.Nth)
	f.check(r.Side, r.Do >= ActCut && r.Do <= ActHold, "there is no action %d", r.Do)
	f.check(r.Side, r.Do != ActHold || r.Until != nil, "a rule that holds a message needs Until")
	f.mu.Lock()
	defer f.mu.Unlock()
	armed := &armedRule{Rule: r, left: max(r.Nth, 1), hit: make(chan struct{})}
	f.mu.rules = append(f.mu.rules, armed)
	return armed.hit
}

// Disarm forgets the rules whose message has not come, and returns their number. Their channels stay open.
func (f *Fault) Disarm() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.mu.rules)
	f.mu.rules = nil
	return n
}

// note counts a message on c and returns the first rule that waits for it, or nil. A connection that was cut is still read, and
// has no part in rules any more.
func (f *Fault) note(c *faultConn, side Side, typ byte) *armedRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.isOver() {
		return nil
	}
	c.counts[side][typ]++
	if side == Backend && c.last == Frontend {
		c.roundTrips++
	}
	c.last = side
	var found *armedRule
	kept := f.mu.rules[:0]
	for _, r := range f.mu.rules {
		if r.Side == side && (r.Type == AnyMessage || r.Type == typ) && r.left > 0 {
			r.left--
		}
		if r.left == 0 && found == nil {
			found = r
			continue
		}
		kept = append(kept, r)
	}
	f.mu.rules = kept
	return found
}

// overtakesAnswers reports whether the other side is held back until the rule is carried out behind its message.
func (r *armedRule) overtakesAnswers() bool {
	return r.After && (r.Do == ActCut || r.Do == ActReset || r.Do == ActFreeze)
}

// at turns Offset into an index of a message of length n, kept inside it.
func (r Rule) at(n int) int {
	i := r.Offset
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

// parcels cuts a message into what a connection's writer does one after the other.
func (r *armedRule) parcels(message []byte) []parcel {
	switch {
	case r.Do == ActCorrupt:
		if i := r.at(len(message)); i < len(message) {
			message[i] ^= 0xff
		}
		return []parcel{{data: message, rule: r}}
	case r.Do == ActTruncate:
		return []parcel{{data: message[:r.at(len(message))], rule: r}}
	case r.After:
		return []parcel{{data: message, rule: r}}
	default:
		return []parcel{{rule: r}, {data: message}}
	}
}
