package admin

import (
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// planLabel is how EXPLAIN names a step, with what it works on.
func planLabel(p Properties) string {
	var b strings.Builder
	if p.is("Parallel Aware") {
		b.WriteString("Parallel ")
	}
	if p.is("Async Capable") {
		b.WriteString("Async ")
	}
	b.WriteString(planVerb(p))
	if p.text("Scan Direction") == "Backward" {
		b.WriteString(" Backward")
	}
	kind := p.text("Node Type")
	if index := p.text("Index Name"); index != "" {
		if kind == "Bitmap Index Scan" {
			return b.String() + " on " + planIdent(index)
		}
		b.WriteString(" using " + planIdent(index))
	}
	b.WriteString(planTarget(p))
	if command := p.text("Command"); command != "" {
		b.WriteString(" " + command)
	}
	return b.String()
}

// planVerb is what a step does.
func planVerb(p Properties) string {
	kind, strategy, join := p.text("Node Type"), p.text("Strategy"), p.text("Join Type")
	switch kind {
	case "ModifyTable":
		return p.text("Operation")
	case "Foreign Scan":
		if operation := p.text("Operation"); operation != "" && operation != "Select" {
			return "Foreign " + operation
		}
	case "Custom Scan":
		return "Custom Scan (" + p.text("Custom Plan Provider") + ")"
	case "Nested Loop", "Hash Join", "Merge Join":
		if join != "" && join != "Inner" {
			return strings.TrimSuffix(kind, " Join") + " " + join + " Join"
		}
	case "SetOp":
		return map[string]string{"Hashed": "Hash"}[strategy] + kind
	case "Aggregate":
		verb := map[string]string{"Sorted": "Group", "Hashed": "Hash", "Mixed": "Mixed"}[strategy] + kind
		if mode := p.text("Partial Mode"); mode != "" && mode != "Simple" {
			verb = mode + " " + verb
		}
		return verb
	}
	return kind
}

// planTarget is what a step works on: " on schema.table alias".
func planTarget(p Properties) string {
	object := ""
	for _, key := range []string{"Relation Name", "Function Name", "Table Function Name", "CTE Name", "Tuplestore Name"} {
		if object = p.text(key); object != "" {
			break
		}
	}
	alias := p.text("Alias")
	text := ""
	if object != "" {
		text = planIdent(object)
		if schema := p.text("Schema"); schema != "" {
			text = planIdent(schema) + "." + text
		}
	}
	if alias != "" && alias != object {
		text += " " + planIdent(alias)
	}
	if text == "" {
		return ""
	}
	return " on " + strings.TrimSpace(text)
}

// planIdent quotes a name where the server would.
func planIdent(name string) string {
	for i, c := range []byte(name) {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return ext.QuoteName(name)
		}
	}
	if name == "" || quotedWords[name] {
		return ext.QuoteName(name)
	}
	return name
}

// quotedWords are the key words that the server quotes as names: all but the unreserved ones, as PostgreSQL 18 has them.
var quotedWords = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(`all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
both case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date
current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except
exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int
integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query
json_scalar json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national
natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position
precision primary real references returning right row select session_user setof similar smallint some substring symmetric system_user
table tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where
window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`) {
		words[word] = true
	}
	return words
}()
