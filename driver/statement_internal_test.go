package driver

import (
	"fmt"
	"slices"
	"testing"
)

// execute is what the engine does with the cache for one execution.
func execute(s *statements, sql string) *statement {
	st := s.lookup(sql)
	if s.prepareNow(st, nil) {
		s.isPrepared(st)
	}
	st.uses++
	return st
}

// held are the texts of the prepared statements, in order.
func held(s *statements) []string {
	texts := []string{}
	for sql, st := range s.bySQL {
		if st.prepared {
			texts = append(texts, sql)
		}
	}
	slices.Sort(texts)
	return texts
}

func TestCachePreparesAfterTheThreshold(t *testing.T) {
	t.Parallel()
	s := newStatements(2, 10)
	for i, want := range []bool{false, false, true, true} {
		if got := execute(s, "a").prepared; got != want {
			t.Errorf("execution %d: prepared %v, want %v", i+1, got, want)
		}
	}
	if !s.isPreparedSQL("a") || s.isPreparedSQL("b") {
		t.Error("isPreparedSQL is wrong")
	}
	if s.prepareNow(s.lookup("a"), nil) {
		t.Error("a prepared statement is to be prepared")
	}
}

func TestCacheEvictsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	s := newStatements(0, 2)
	a := execute(s, "a")
	name := a.name
	execute(s, "b")
	execute(s, "a")
	execute(s, "c")
	if got := held(s); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("held: %q, want a and c", got)
	}
	if len(s.closing) != 1 || s.closing[0] == name {
		t.Errorf("closing: %q, want the name of b", s.closing)
	}
	if _, ok := s.bySQL["b"]; ok || s.recent.Len() != 2 {
		t.Error("b is still in the cache")
	}
}

func TestCacheKeepsPinnedStatements(t *testing.T) {
	t.Parallel()
	s := newStatements(0, 1)
	pinned := execute(s, "pinned")
	pinned.pins++
	for _, sql := range []string{"a", "b", "c"} {
		execute(s, sql)
	}
	if got := held(s); !slices.Equal(got, []string{"c", "pinned"}) {
		t.Errorf("held: %q, want c and the pinned one", got)
	}
	s.unpin(pinned)
	if got := held(s); !slices.Equal(got, []string{"c"}) {
		t.Errorf("held after the pin: %q, want c", got)
	}
	if len(s.closing) != 3 {
		t.Errorf("closing: %q, want three names", s.closing)
	}
}

func TestCacheWithoutRoomClosesWhatWasPinned(t *testing.T) {
	t.Parallel()
	for _, s := range []*statements{newStatements(-1, 10), newStatements(5, 0)} {
		st := s.lookup("a")
		st.pins++
		if !s.prepareNow(st, nil) {
			t.Fatal("a pinned statement is not to be prepared")
		}
		s.isPrepared(st)
		st.pins++
		s.unpin(st)
		if !st.prepared || len(s.closing) != 0 {
			t.Error("closed while it is pinned once more")
		}
		s.unpin(st)
		if st.prepared || len(s.closing) != 1 {
			t.Errorf("prepared %v, closing %q", st.prepared, s.closing)
		}
	}
}

func TestCacheForgetsWhatTheServerForgot(t *testing.T) {
	t.Parallel()
	s := newStatements(0, 1)
	execute(s, "a")
	st := execute(s, "b")
	st.desc = &description{params: []uint32{23}}
	s.vanished()
	if len(s.closing) != 0 || len(held(s)) != 0 {
		t.Errorf("closing %q, held %q, want nothing", s.closing, held(s))
	}
	if st.desc == nil || !s.prepareNow(st, nil) {
		t.Error("the types are gone, or the statement is not prepared again")
	}
	s.isPrepared(st)
	s.reset()
	if st.desc != nil || st.prepared || len(s.closing) != 1 {
		t.Errorf("after reset: %+v, closing %q", st, s.closing)
	}
}

func TestCacheNamesAreNeverUsedTwice(t *testing.T) {
	t.Parallel()
	s := newStatements(0, 1)
	seen := map[string]bool{}
	for range 3 {
		for _, sql := range []string{"a", "b"} {
			st := execute(s, sql)
			if seen[st.name] {
				t.Errorf("name %q for a second statement", st.name)
			}
			seen[st.name] = true
		}
	}
}

func TestCacheBoundsDescriptions(t *testing.T) {
	t.Parallel()
	s := newStatements(5, 10)
	for i := range 3 * maxTexts {
		sql := fmt.Sprint(i)
		execute(s, sql)
		if s.bySQL[sql] == nil {
			t.Fatalf("statement %d is not in the cache", i)
		}
	}
	if len(s.bySQL) > maxTexts+1 || s.recent.Len() != len(s.bySQL) {
		t.Errorf("%d statements in the map, %d in the list, want at most %d", len(s.bySQL), s.recent.Len(), maxTexts)
	}
	if len(s.closing) != 0 {
		t.Errorf("closing %q of statements that were never prepared", s.closing)
	}
}

func TestCacheTakesNewStatementsBesideManyPrepared(t *testing.T) {
	t.Parallel()
	s := newStatements(1, -1)
	for i := range maxTexts + 100 {
		execute(s, fmt.Sprint(i))
		execute(s, fmt.Sprint(i))
	}
	if got := len(held(s)); got != maxTexts+100 {
		t.Errorf("%d prepared statements, want all of %d", got, maxTexts+100)
	}
}
