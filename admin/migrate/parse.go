package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pycopg/pycopg/driver"
)

const (
	markUp            = "UP"
	markDown          = "DOWN"
	markNoTransaction = "NO TRANSACTION"
)

// mark is a comment that means something, and a line to itself.
type mark struct {
	what       string
	start, end int // of the comment in the text
}

// parse reads a file: of a pair, where direction is ".up" or ".down", or with markers. A section that the file does not have
// is nil.
func parse(text, direction string) (up, down *Section, err error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, nil, errors.New("the file is not text in UTF-8")
	}
	text = strings.TrimPrefix(text, "\ufeff") // of Windows editors
	sections := map[string]*Section{}
	current, from, everywhere := "", 0, false
	take := func(end int) error { return add(sections, current, text, from, end) }
	for _, m := range marks(text) {
		switch {
		case m.what == markNoTransaction:
			if current == "" {
				everywhere = true
			} else {
				sections[current+markNoTransaction] = &Section{}
			}
			continue
		case direction != "":
			return nil, nil, fmt.Errorf("line %d: a file of one direction has no -- %s", lineAt(text, m.start), m.what)
		}
		if err := take(m.start); err != nil {
			return nil, nil, err
		}
		switch {
		case sections[m.what] != nil && current == "":
			return nil, nil, fmt.Errorf("line %d: statements ahead of -- %s", lineAt(text, m.start), m.what)
		case sections[m.what] != nil:
			return nil, nil, fmt.Errorf("line %d: a second -- %s", lineAt(text, m.start), m.what)
		}
		current, from = m.what, m.end
	}
	if current == "" {
		current = markUp
		if direction == ".down" {
			current = markDown
		}
		from = 0
	}
	if err := take(len(text)); err != nil {
		return nil, nil, err
	}
	up, down = finish(sections, everywhere)
	if up == nil && direction == "" {
		return nil, nil, errors.New("there is no up section")
	}
	return up, down, nil
}

// add cuts a section out of the text. What stands ahead of -- DOWN is up; ahead of -- UP it may be comments only.
func add(sections map[string]*Section, name, text string, from, to int) error {
	body := text[from:to]
	s := &Section{SQL: strings.TrimSpace(body)}
	s.Line = lineAt(text, from+strings.Index(body, s.SQL))
	if name == "" {
		if isEmpty(s.SQL) {
			return nil
		}
		name = markUp
	}
	if err := refuseTransactions(s); err != nil {
		return err
	}
	sections[name] = s
	return nil
}

// finish gives the sections their directives. A down section without statements is none.
func finish(sections map[string]*Section, everywhere bool) (up, down *Section) {
	for _, name := range []string{markUp, markDown} {
		if s := sections[name]; s != nil {
			s.NoTransaction = everywhere || sections[name+markNoTransaction] != nil
		}
	}
	up, down = sections[markUp], sections[markDown]
	if down != nil && isEmpty(down.SQL) {
		down = nil
	}
	return up, down
}

// marks finds the comments that mean something.
func marks(text string) (found []mark) {
	for at, comment := range driver.LineComments(text) {
		before := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
		what := strings.ToUpper(strings.Join(strings.Fields(comment[2:]), " "))
		switch what {
		case markUp, markDown, markNoTransaction:
			if strings.TrimSpace(before) == "" {
				found = append(found, mark{what, at, at + len(comment)})
			}
		}
	}
	return found
}

func isEmpty(sql string) bool {
	for range driver.Statements(sql) {
		return false
	}
	return true
}

// refuseTransactions refuses statements that would end the migration's transaction, or begin one of their own.
func refuseTransactions(s *Section) error {
	for at, statement := range driver.Statements(s.SQL) {
		if controlsTransaction(statement) {
			first, _, _ := strings.Cut(statement, "\n")
			return fmt.Errorf("line %d: %s: a migration is one transaction, or has none where it says -- NO TRANSACTION", s.Line+lineAt(s.SQL, at)-1, first)
		}
	}
	return nil
}

func controlsTransaction(statement string) bool {
	words := strings.FieldsFunc(strings.ToLower(statement), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return false
	}
	switch words[0] {
	case "begin", "start", "commit", "end", "abort":
		return true
	case "rollback":
		return !slices.Contains(words, "to") // a savepoint
	case "prepare":
		return len(words) > 1 && words[1] == "transaction"
	}
	return false
}

// lineAt is the line of an offset, from 1.
func lineAt(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }
