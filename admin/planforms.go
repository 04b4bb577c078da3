package admin

import (
	"encoding/json"
	"fmt"
	"strings"
)

// planForm writes a property that EXPLAIN does not write as "Key: value".
type planForm func(w *planWriter, n *PlanNode, all Properties, one Property)

// planForms are the properties that are written in another form than the rest, or on the line of another one.
var planForms map[string]planForm

func init() {
	hidden := func(*planWriter, *PlanNode, Properties, Property) {}
	planForms = map[string]planForm{
		"Inner Unique":      ifTrue(func(w *planWriter) bool { return w.plan.verbose }),
		"Disabled":          ifTrue(nil),
		"Single Copy":       ifTrue(nil),
		"Subplans Removed":  ifPositive,
		"Workers":           workers,
		"Sort Method":       sortMethod,
		"Full-sort Groups":  sortGroups,
		"Pre-sorted Groups": sortGroups,
		"Hash Buckets":      hashBuckets,
		"Cache Hits":        cacheHits,
		"Estimated Capacity": func(w *planWriter, _ *PlanNode, all Properties, _ Property) {
			w.linef("Estimates: capacity=%s distinct keys=%s lookups=%s hit percent=%s%%", scalar(all.get("Estimated Capacity")),
				scalar(all.get("Estimated Distinct Lookup Keys")), scalar(all.get("Estimated Lookups")), scalar(all.get("Estimated Hit Percent")))
		},
		"Planned Partitions": hashAggregate,
		"HashAgg Batches":    hashAggregate,
		"Exact Heap Blocks":  heapBlocks,
		"Grouping Sets":      groupingSets,
		"Sampling Method":    sampling,
		"Storage": func(w *planWriter, _ *PlanNode, all Properties, one Property) {
			w.linef("Storage: %s  Maximum Storage: %skB", scalar(one.Value), scalar(all.get("Maximum Storage")))
		},
		"Tuples Inserted":   tuples,
		"Target Tables":     targetTables,
		"Shared Hit Blocks": buffers,
		"WAL Records":       walRecords,
	}
	for _, key := range []string{
		"Sort Space Used", "Sort Space Type", "Original Hash Buckets", "Hash Batches", "Original Hash Batches", "Peak Memory Usage", "Cache Misses",
		"Cache Evictions", "Cache Overflows", "Disk Usage", "Lossy Heap Blocks", "Sampling Parameters", "Repeatable Seed", "Maximum Storage",
		"Tuples Updated", "Tuples Deleted", "Tuples Skipped", "Shared Read Blocks", "Shared Dirtied Blocks", "Shared Written Blocks", "Local Hit Blocks",
		"Local Read Blocks", "Local Dirtied Blocks", "Local Written Blocks", "Temp Read Blocks", "Temp Written Blocks", "I/O Read Time", "I/O Write Time",
		"Shared I/O Read Time", "Shared I/O Write Time", "Local I/O Read Time", "Local I/O Write Time", "Temp I/O Read Time", "Temp I/O Write Time",
		"WAL FPI", "WAL Bytes", "WAL Buffers Full", "Estimated Distinct Lookup Keys", "Estimated Lookups", "Estimated Hit Percent", "Worker Number",
	} {
		planForms[key] = hidden
	}
	for _, key := range []string{"Filter", "Join Filter", "Index Recheck", "Conflict Filter"} {
		planForms["Rows Removed by "+key] = ifPositive
	}
}

func ifTrue(also func(*planWriter) bool) planForm {
	return func(w *planWriter, _ *PlanNode, _ Properties, one Property) {
		if one.Value == true && (also == nil || also(w)) {
			w.plain(one)
		}
	}
}

func ifPositive(w *planWriter, _ *PlanNode, all Properties, one Property) {
	if all.number(one.Key) > 0 {
		w.plain(one)
	}
}

// workers writes what each worker did.
func workers(w *planWriter, n *PlanNode, _ Properties, one Property) {
	list, _ := one.Value.([]any)
	for _, worker := range list {
		props, _ := worker.(Properties)
		before := w.indent
		w.prefix = "Worker " + scalar(props.get("Worker Number")) + ":  "
		numbers := map[string]string{}
		for _, p := range props {
			if number, ok := p.Value.(json.Number); ok && fieldKeys[p.Key] {
				numbers[p.Key] = string(number)
			}
		}
		if numbers["Actual Rows"] != "" {
			w.line(actual(numbers))
		}
		for _, p := range props {
			switch {
			case p.Key == "JIT":
				if object, ok := p.Value.(Properties); ok {
					w.jit(object)
				}
			case !fieldKeys[p.Key]:
				w.property(n, props, p)
			}
		}
		w.prefix, w.indent = "", before
	}
}

func sortMethod(w *planWriter, _ *PlanNode, all Properties, one Property) {
	w.linef("Sort Method: %s  %s: %skB", scalar(one.Value), scalar(all.get("Sort Space Type")), scalar(all.get("Sort Space Used")))
}

func sortGroups(w *planWriter, _ *PlanNode, _ Properties, one Property) {
	group, _ := one.Value.(Properties)
	methods, _ := group.get("Sort Methods Used").([]any)
	plural := ""
	if len(methods) > 1 {
		plural = "s"
	}
	text := fmt.Sprintf("%s: %s  Sort Method%s: %s", one.Key, scalar(group.get("Group Count")), plural, joined(methods))
	for _, kind := range []string{"Memory", "Disk"} {
		if space, ok := group.get("Sort Space " + kind).(Properties); ok {
			text += fmt.Sprintf("  Average %s: %skB  Peak %s: %skB", kind, scalar(space.get("Average Sort Space Used")), kind, scalar(space.get("Peak Sort Space Used")))
		}
	}
	w.line(text)
}

func hashBuckets(w *planWriter, _ *PlanNode, all Properties, one Property) {
	count := func(key string) string {
		now, before := scalar(all.get(key)), scalar(all.get("Original "+key))
		if all.number("Hash Buckets") != all.number("Original Hash Buckets") || all.number("Hash Batches") != all.number("Original Hash Batches") {
			return now + " (originally " + before + ")"
		}
		return now
	}
	w.linef("Buckets: %s  Batches: %s  Memory Usage: %skB", count("Hash Buckets"), count("Hash Batches"), scalar(all.get("Peak Memory Usage")))
}

func cacheHits(w *planWriter, _ *PlanNode, all Properties, _ Property) {
	if all.number("Cache Misses") == 0 {
		return
	}
	w.linef("Hits: %s  Misses: %s  Evictions: %s  Overflows: %s  Memory Usage: %skB", scalar(all.get("Cache Hits")), scalar(all.get("Cache Misses")),
		scalar(all.get("Cache Evictions")), scalar(all.get("Cache Overflows")), scalar(all.get("Peak Memory Usage")))
}

// hashAggregate is one line, which the first of its properties writes.
func hashAggregate(w *planWriter, _ *PlanNode, all Properties, one Property) {
	if one.Key == "HashAgg Batches" && all.get("Planned Partitions") != nil {
		return
	}
	var parts []string
	if all.number("Planned Partitions") > 0 {
		parts = append(parts, "Planned Partitions: "+scalar(all.get("Planned Partitions")))
	}
	if all.number("Peak Memory Usage") > 0 {
		parts = append(parts, "Batches: "+scalar(all.get("HashAgg Batches"))+"  Memory Usage: "+scalar(all.get("Peak Memory Usage"))+"kB")
		if all.number("HashAgg Batches") > 1 {
			parts = append(parts, "Disk Usage: "+scalar(all.get("Disk Usage"))+"kB")
		}
	}
	if len(parts) > 0 {
		w.line(strings.Join(parts, "  "))
	}
}

func heapBlocks(w *planWriter, _ *PlanNode, all Properties, _ Property) {
	if text := counters(all, "exact", "Exact Heap Blocks", "lossy", "Lossy Heap Blocks"); text != "" {
		w.line("Heap Blocks:" + text)
	}
}

// groupingSets writes the keys of each set, below the sort that makes them.
func groupingSets(w *planWriter, _ *PlanNode, _ Properties, one Property) {
	sets, _ := one.Value.([]any)
	for _, set := range sets {
		props, _ := set.(Properties)
		before := w.indent
		for _, p := range props {
			list, _ := p.Value.([]any)
			if p.Key == "Sort Key" {
				w.plain(p)
				w.indent++
				continue
			}
			for _, keys := range list {
				text := scalar(keys)
				if text == "" {
					text = "()"
				}
				w.line(strings.TrimSuffix(p.Key, "s") + ": " + text)
			}
		}
		w.indent = before
	}
}

func sampling(w *planWriter, _ *PlanNode, all Properties, one Property) {
	parameters, _ := all.get("Sampling Parameters").([]any)
	text := "Sampling: " + scalar(one.Value) + " (" + joined(parameters) + ")"
	if seed := all.get("Repeatable Seed"); seed != nil {
		text += " REPEATABLE (" + scalar(seed) + ")"
	}
	w.line(text)
}

// tuples are those of a MERGE on one line, and those of ON CONFLICT on one of their own.
func tuples(w *planWriter, n *PlanNode, all Properties, one Property) {
	if n.Operation != "Merge" {
		w.plain(one)
		return
	}
	if text := counters(all, "inserted", "Tuples Inserted", "updated", "Tuples Updated", "deleted", "Tuples Deleted", "skipped", "Tuples Skipped"); text != "" {
		w.line("Tuples:" + text)
	}
}

func targetTables(w *planWriter, n *PlanNode, _ Properties, one Property) {
	tables, _ := one.Value.([]any)
	for _, table := range tables {
		props, _ := table.(Properties)
		w.line(n.Operation + planTarget(props))
		for _, p := range props {
			if !fieldKeys[p.Key] {
				w.plain(p)
			}
		}
	}
}

func buffers(w *planWriter, _ *PlanNode, all Properties, _ Property) {
	for _, text := range []string{bufferText(all), ioText(all)} {
		if text != "" {
			w.line(text)
		}
	}
}

func walRecords(w *planWriter, _ *PlanNode, all Properties, _ Property) {
	if text := counters(all, "records", "WAL Records", "fpi", "WAL FPI", "bytes", "WAL Bytes", "buffers full", "WAL Buffers Full"); text != "" {
		w.line("WAL:" + text)
	}
}

// counters are the positive ones of pairs of a name and a key: " hit=3 read=1".
func counters(p Properties, pairs ...string) string {
	text := ""
	for i := 0; i < len(pairs); i += 2 {
		if p.number(pairs[i+1]) > 0 {
			text += " " + pairs[i] + "=" + scalar(p.get(pairs[i+1]))
		}
	}
	return text
}

// bufferText is the line of the buffers, "" where none was used.
func bufferText(p Properties) string {
	var kinds []string
	for _, kind := range []string{"Shared", "Local", "Temp"} {
		text := counters(p, "hit", kind+" Hit Blocks", "read", kind+" Read Blocks", "dirtied", kind+" Dirtied Blocks", "written", kind+" Written Blocks")
		if text != "" {
			kinds = append(kinds, " "+strings.ToLower(kind)+text)
		}
	}
	if kinds == nil {
		return ""
	}
	return "Buffers:" + strings.Join(kinds, ",")
}

// ioText is the line of the time that reading and writing took. Before PostgreSQL 15 it had no kinds, and before 17 two.
func ioText(p Properties) string {
	first := ""
	if p.get("Temp I/O Read Time") != nil {
		first = " shared/local"
	}
	var kinds []string
	for _, kind := range []struct{ label, prefix string }{{first, ""}, {" shared", "Shared "}, {" local", "Local "}, {" temp", "Temp "}} {
		if text := counters(p, "read", kind.prefix+"I/O Read Time", "write", kind.prefix+"I/O Write Time"); text != "" {
			kinds = append(kinds, kind.label+text)
		}
	}
	if kinds == nil {
		return ""
	}
	return "I/O Timings:" + strings.Join(kinds, ",")
}
