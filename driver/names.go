package driver

import "strings"

// What a statement means depends on how the session resolves names: the same text is another statement after SET
// search_path, with parameters of other types. A session that has gone its own way neither uses what the pool knows of
// statements nor adds to it, and forgets what it knew whenever names may have changed their meaning.

// nameSettings are found in the texts, in lower case and with single spaces, that may change how names are resolved.
var nameSettings = []string{
	"search_path", "set schema", "session schema", "local schema", "set role", "session role", "local role", "'role'",
	"reset role", "session authorization", "session_authorization", "reset all", "discard all", "set_config($",
}

// mayRename reports whether running sql may change what the names in other statements stand for.
func mayRename(sql string) bool {
	sql = strings.ToLower(sql)
	if strings.ContainsAny(sql, "\n\t\r") || strings.Contains(sql, "  ") {
		sql = strings.Join(strings.Fields(sql), " ")
	}
	for _, setting := range nameSettings {
		if strings.Contains(sql, setting) {
			return true
		}
	}
	return false
}

// renames records that a statement that is about to run may change names: for good, or until the transaction ends.
func (e *engine) renames() { e.ownNames, e.renamed = true, true }
