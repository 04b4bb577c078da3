package admin

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestTextOfMaintenance(t *testing.T) {
	t.Parallel()
	yes, no, zero := true, false, 0
	told := func(driver.Notice) {}
	for _, c := range []struct {
		text func() (string, error)
		want string
	}{
		{func() (string, error) { return vacuumText(VacuumOptions{}) }, `vacuum`},
		{
			func() (string, error) {
				return vacuumText(VacuumOptions{Tables: []string{"a", "s.B"}, Full: true, Freeze: true, Analyze: true, Verbose: told, Only: true})
			}, `vacuum (full, freeze, verbose, analyze) only "a", only "s"."B"`,
		},
		{
			func() (string, error) {
				return vacuumText(VacuumOptions{
					Tables: []string{"a"}, Columns: []string{"x", "Y"}, Analyze: true, SkipLocked: true, DisablePageSkipping: true, IndexCleanup: &no,
					Truncate: &yes, Parallel: &zero, NoToast: true, NoMain: true, SkipDatabaseStats: true, OnlyDatabaseStats: true, BufferUsageLimit: "4 MB'",
				})
			}, `vacuum (analyze, disable_page_skipping, skip_locked, index_cleanup off, process_main off, process_toast off, truncate on, parallel 0, skip_database_stats, only_database_stats, buffer_usage_limit '4 MB''') "a" ("x", "Y")`,
		},
		{func() (string, error) { return analyzeText(AnalyzeOptions{}) }, `analyze`},
		{
			func() (string, error) {
				return analyzeText(AnalyzeOptions{Tables: []string{"a"}, Columns: []string{"b"}, SkipLocked: true, Verbose: told})
			}, `analyze (verbose, skip_locked) "a" ("b")`,
		},
		{func() (string, error) { return reindexText("table", `"a"`, ReindexOptions{}) }, `reindex table "a"`},
		{
			func() (string, error) {
				return reindexText("index", `"a"`, ReindexOptions{Verbose: told, Concurrently: true, Tablespace: "T s"})
			}, `reindex (verbose, concurrently, tablespace "T s") index "a"`,
		},
		{func() (string, error) { return clusterText("", ClusterOptions{}) }, `cluster`},
		{func() (string, error) { return clusterText("s.t", ClusterOptions{Index: "i.x", Verbose: told}) }, `cluster verbose "s"."t" using "i.x"`},
		{func() (string, error) { return explainSQL(ExplainOptions{}, "json", "select 1") }, `explain (format json) select 1`},
		{
			func() (string, error) {
				return explainSQL(ExplainOptions{Analyze: true, Verbose: true, NoCosts: true, Buffers: &yes, Settings: true, Wal: true, NoTiming: true, Summary: &no, Memory: true, Serialize: "binary"}, "text", "select 1")
			}, `explain (analyze, verbose, costs off, buffers on, settings, wal, timing off, summary off, memory, serialize binary, format text) select 1`,
		},
	} {
		if got, err := c.text(); err != nil || got != c.want {
			t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
		}
	}
	for want, text := range map[string]func() (string, error){
		"columns belong to one table": func() (string, error) {
			return vacuumText(VacuumOptions{Tables: []string{"a", "b"}, Columns: []string{"c"}, Analyze: true})
		},
		"columns are for Analyze": func() (string, error) {
			return vacuumText(VacuumOptions{Tables: []string{"a"}, Columns: []string{"c"}})
		},
		"Only needs tables":       func() (string, error) { return analyzeText(AnalyzeOptions{Only: true}) },
		`"a.b.c"`:                 func() (string, error) { return vacuumText(VacuumOptions{Tables: []string{"a.b.c"}}) },
		"a NUL byte":              func() (string, error) { return vacuumText(VacuumOptions{BufferUsageLimit: "\x00"}) },
		"an index belongs to one": func() (string, error) { return clusterText("", ClusterOptions{Index: "i"}) },
	} {
		if got, err := text(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, %v: want %q", got, err, want)
		}
	}
}
