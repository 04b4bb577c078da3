package mock

import (
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// ExpectedListen is LISTEN.
type ExpectedListen struct{ Reply[*ExpectedListen] }

// ExpectListen expects a connection to listen to these channels, in one request, in any order. A listener that connects again
// says LISTEN again. UNLISTEN needs no expectation.
func (m *Mock) ExpectListen(channels ...string) *ExpectedListen {
	m.t.Helper()
	m.refuse(len(channels) > 0, "ExpectListen without a channel")
	e := &ExpectedListen{}
	e.Reply = Reply[*ExpectedListen]{e, m.expect(&expectation{kind: kindListen, names: channels})}
	return e
}

// Notify sends a notification to the sessions that listen to the channel, and returns their number. A session in a
// transaction gets it at the end of that. To send one as soon as a session listens, let the expectation do it
// (ExpectListen(…).WillNotify), or wait for it (Met).
func (m *Mock) Notify(channel, payload string) int {
	n := 0
	for _, s := range m.all() {
		s.mu.Lock()
		listens := s.mu.listening[channel]
		s.mu.Unlock()
		if listens {
			s.notify(&pgproto3.NotificationResponse{PID: notifier, Channel: channel, Payload: payload})
			n++
		}
	}
	return n
}

// DropConnections ends all present connections, behind what was sent on them, and returns their number. Nothing is said of why. A
// client that waits learns of it at once, one that rests when it next says something.
func (m *Mock) DropConnections() int {
	all := m.all()
	for _, s := range all {
		s.hangUp()
	}
	return len(all)
}

func (m *Mock) all() []*session {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*session
	for _, s := range m.mu.sessions {
		all = append(all, s)
	}
	return all
}

var listening = regexp.MustCompile(`(?is)^\s*(un)?listen\s+("(?:[^"]|"")*"|\S+)\s*$`)

// listen answers a request of one or several LISTEN and UNLISTEN, whose new channels are expected together.
func (s *session) listen(texts []string) (*answer, error) {
	a := &answer{cut: -1}
	var channels []string
	for _, text := range texts {
		listen, channel, ok := listenTo(text)
		if !ok {
			return nil, PgError("42601", Fields{})
		}
		if listen {
			channels = append(channels, channel)
		}
	}
	if channels != nil {
		e, err := s.mock.take(call{kind: kindListen, names: channels})
		if err != nil {
			return nil, PgError("XX000", Fields{Message: err.Error()})
		}
		if a, err = s.answerOf(e, texts[0]); err != nil || a.err != nil {
			return a, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		listen, channel, _ := listenTo(text)
		a.tags = append(a.tags, strings.ToUpper(firstWord(text)))
		switch {
		case listen:
			s.mu.listening[channel] = true
		case channel == "*":
			clear(s.mu.listening)
		default:
			delete(s.mu.listening, channel)
		}
	}
	return a, nil
}

// listenTo reads LISTEN or UNLISTEN.
func listenTo(sql string) (listen bool, channel string, ok bool) {
	m := listening.FindStringSubmatch(strings.TrimRight(sql, "; \t\r\n"))
	if m == nil {
		return false, "", false
	}
	channel = strings.ToLower(m[2])
	if quoted, ok := strings.CutPrefix(m[2], `"`); ok {
		channel = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
	}
	return m[1] == "", channel, true
}
