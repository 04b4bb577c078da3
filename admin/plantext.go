package admin

import (
	"encoding/json"
	"fmt"
	"strings"
)

// String is the plan as psql shows it below QUERY PLAN, without a line end at the end.
func (p *Plan) String() string {
	w := &planWriter{plan: p}
	if p.Root != nil {
		w.node(p.Root)
	}
	w.indent = 0
	for _, one := range p.properties {
		w.top(one)
	}
	return strings.TrimSuffix(w.b.String(), "\n")
}

// Lines are the lines of String.
func (p *Plan) Lines() []string { return strings.Split(p.String(), "\n") }

// planWriter writes a plan as EXPLAIN (FORMAT TEXT) does. Its indentation is in steps of two blanks.
type planWriter struct {
	plan   *Plan
	b      strings.Builder
	indent int
	prefix string // of the next line: "Worker 0:  "
}

// line writes one line.
func (w *planWriter) line(text string) {
	w.b.WriteString(strings.Repeat("  ", w.indent))
	w.b.WriteString(w.prefix)
	w.b.WriteString(text)
	w.b.WriteByte('\n')
	if w.prefix != "" { // further lines of the worker are indented once more
		w.prefix = ""
		w.indent++
	}
}

func (w *planWriter) linef(format string, args ...any) { w.line(fmt.Sprintf(format, args...)) }

func (w *planWriter) node(n *PlanNode) {
	before := w.indent
	defer func() { w.indent = before }()
	if n.Subplan != "" {
		w.line(n.Subplan)
		w.indent++
	}
	arrow := ""
	if w.indent > 0 {
		arrow = "->  "
	}
	w.line(arrow + n.Label + n.figures())
	if arrow != "" {
		w.indent += 2
	}
	w.indent++
	props := Properties(n.Properties)
	for _, one := range props {
		w.property(n, props, one)
	}
	for _, c := range n.Children {
		w.node(c)
	}
}

// figures are the costs and what became of them.
func (n *PlanNode) figures() string {
	text := ""
	if n.numbers["Total Cost"] != "" {
		text = fmt.Sprintf("  (cost=%s..%s rows=%s width=%s)", n.numbers["Startup Cost"], n.numbers["Total Cost"], n.numbers["Plan Rows"], n.numbers["Plan Width"])
	}
	switch {
	case !n.Analyzed:
	case n.Loops == 0:
		text += " (never executed)"
	default:
		text += " (" + actual(n.numbers) + ")"
	}
	return text
}

// actual is what a step, or a worker of it, did.
func actual(numbers map[string]string) string {
	time := ""
	if numbers["Actual Total Time"] != "" {
		time = "time=" + numbers["Actual Startup Time"] + ".." + numbers["Actual Total Time"] + " "
	}
	return "actual " + time + "rows=" + numbers["Actual Rows"] + " loops=" + numbers["Actual Loops"]
}

// property writes a property, together with those that EXPLAIN writes on the same line: they come after it in all.
func (w *planWriter) property(n *PlanNode, all Properties, one Property) {
	if form, ok := planForms[one.Key]; ok {
		form(w, n, all, one)
		return
	}
	w.plain(one)
}

// plain writes "Key: value".
func (w *planWriter) plain(one Property) {
	switch v := one.Value.(type) {
	case []any:
		w.line(one.Key + ": " + joined(v))
	case Properties:
		w.line(one.Key + ":")
		w.indent++
		for _, inner := range v {
			w.plain(inner)
		}
		w.indent--
	default:
		w.line(one.Key + ": " + scalar(v))
	}
}

func joined(list []any) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = scalar(v)
	}
	return strings.Join(texts, ", ")
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	case []any:
		return joined(v)
	}
	return fmt.Sprint(v)
}

// top writes a property of the plan as a whole.
func (w *planWriter) top(one Property) {
	object, _ := one.Value.(Properties)
	switch one.Key {
	case "Plan":
	case "Planning Time", "Execution Time":
		w.line(one.Key + ": " + scalar(one.Value) + " ms")
	case "Settings":
		if len(object) == 0 {
			return
		}
		settings := make([]string, len(object))
		for i, s := range object {
			settings[i] = s.Key + " = '" + scalar(s.Value) + "'"
		}
		w.line("Settings: " + strings.Join(settings, ", "))
	case "Planning":
		w.planning(object)
	case "Triggers":
		list, _ := one.Value.([]any)
		w.triggers(list)
	case "JIT":
		w.jit(object)
	case "Serialization":
		w.serialization(object)
	default:
		w.plain(one)
	}
}

// planning writes what planning took, where it took anything.
func (w *planWriter) planning(p Properties) {
	var lines []string
	if text := bufferText(p); text != "" {
		lines = append(lines, text)
	}
	if text := ioText(p); text != "" {
		lines = append(lines, text)
	}
	if p.get("Memory Used") != nil {
		lines = append(lines, "Memory: used="+scalar(p.get("Memory Used"))+"kB  allocated="+scalar(p.get("Memory Allocated"))+"kB")
	}
	if len(lines) == 0 {
		return
	}
	w.line("Planning:")
	w.indent++
	for _, line := range lines {
		w.line(line)
	}
	w.indent--
}

func (w *planWriter) triggers(list []any) {
	relations := map[string]bool{}
	for _, t := range w.plan.Triggers {
		relations[t.Relation] = true
	}
	for _, t := range list {
		t, _ := t.(Properties)
		text := "Trigger"
		constraint := t.text("Constraint Name")
		if name := t.text("Trigger Name"); name != "" && (constraint == "" || w.plan.verbose) {
			text += " " + name
		}
		if constraint != "" {
			text += " for constraint " + constraint
		}
		if len(relations) > 1 {
			text += " on " + t.text("Relation")
		}
		text += ":"
		if t.get("Time") != nil {
			text += " time=" + scalar(t.get("Time"))
		}
		w.line(text + " calls=" + scalar(t.get("Calls")))
	}
}

func (w *planWriter) jit(p Properties) {
	w.line("JIT:")
	w.indent++
	defer func() { w.indent-- }()
	if p.get("Functions") != nil {
		w.line("Functions: " + scalar(p.get("Functions")))
	}
	if options, ok := p.get("Options").(Properties); ok {
		texts := make([]string, len(options))
		for i, o := range options {
			texts[i] = o.Key + " " + scalar(o.Value)
		}
		w.line("Options: " + strings.Join(texts, ", "))
	}
	if timing, ok := p.get("Timing").(Properties); ok {
		texts := make([]string, len(timing))
		for i, t := range timing {
			texts[i] = t.Key + " " + scalar(t.Value) + " ms"
			if parts, ok := t.Value.(Properties); ok { // of PostgreSQL 17
				texts[i] = t.Key + " " + scalar(parts.get("Total")) + " ms (Deform " + scalar(parts.get("Deform")) + " ms)"
			}
		}
		w.line("Timing: " + strings.Join(texts, ", "))
	}
}

func (w *planWriter) serialization(p Properties) {
	time := ""
	if p.get("Time") != nil {
		time = " time=" + scalar(p.get("Time")) + " ms "
	}
	w.line("Serialization:" + time + " output=" + scalar(p.get("Output Volume")) + "kB  format=" + p.text("Format"))
	w.indent++
	for _, text := range []string{bufferText(p), ioText(p)} {
		if text != "" {
			w.line(text)
		}
	}
	w.indent--
}
