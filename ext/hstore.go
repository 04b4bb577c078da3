package ext

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pycopg/pycopg/internal/pgtext"
)

// Hstore is a value of the extension's type hstore. nil is NULL; a value that is not valid is NULL. A map[string]string and a
// map[string]*string can be arguments and destinations of [Query], too.
type Hstore map[string]sql.Null[string]

// Scan implements [sql.Scanner].
func (h *Hstore) Scan(src any) error {
	*h = nil
	text, null, err := scanned("hstore", src)
	if err != nil || null {
		return err
	}
	pairs, err := pgtext.ParseHstore(text)
	if err != nil {
		return fmt.Errorf("ext: hstore: %w", err)
	}
	*h = make(Hstore, len(pairs))
	for _, p := range pairs {
		v := sql.Null[string]{V: p.Value.Text, Valid: true}
		if p.Value.Null {
			v = sql.Null[string]{}
		}
		(*h)[p.Key] = v
	}
	return nil
}

// Value implements [sqldriver.Valuer].
func (h Hstore) Value() (sqldriver.Value, error) {
	if h == nil {
		return nil, nil
	}
	pairs := make([]pgtext.Pair, 0, len(h))
	for _, key := range slices.Sorted(maps.Keys(h)) {
		v := h[key]
		for _, s := range []string{key, v.V} {
			if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
				return nil, fmt.Errorf("ext: hstore: key %q: a text with a NUL byte or invalid UTF-8", key)
			}
		}
		pairs = append(pairs, pgtext.Pair{Key: key, Value: pgtext.Item{Text: v.V, Null: !v.Valid}})
	}
	return string(pgtext.AppendHstore(nil, pairs)), nil
}
