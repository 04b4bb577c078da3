package admin_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// planTables are what the statements of the plan tests are about.
var planTables = []string{
	`create table users (id int primary key, name text, grp int, tags text[])`,
	`insert into users select g, 'user ' || g, g % 10, array['a', 'b'] from generate_series(1, 3000) g`,
	`create index users_grp on users (grp)`,
	`create table orders (id int primary key, "user" int references users on delete cascade, amount numeric, at date)`,
	`insert into orders select g, 1 + g % 3000, g % 97, date '2024-01-01' + g % 300 from generate_series(1, 6000) g`,
	`create index on orders ("user")`,
	`create schema "Odd schema"`, `create table "Odd schema"."Order" ("select" int, x int)`, `insert into "Odd schema"."Order" select g, g from generate_series(1, 100) g`,
	`create table part (k int, v int) partition by range (k)`, `create table part_1 partition of part for values from (0) to (100)`, `create table part_2 partition of part for values from (100) to (200)`,
	`insert into part select g, g from generate_series(0, 199) g`,
	`create function noop() returns trigger language plpgsql as $$ begin return new; end $$`,
	`create trigger touched before update on users for each row execute function noop()`,
	`analyze`,
}

// planStatements have every kind of step that a small database has.
var planStatements = []string{
	`select 1`,
	`select * from users where grp = 3 and name like 'user 1%'`,
	`select id from users where id < 10`,
	`select id from users order by id desc limit 3`,
	`select * from users u join orders o on o."user" = u.id where u.grp = 3`,
	`select * from users u left join orders o on o."user" = u.id order by u.name desc, o.id limit 5`,
	`select * from users where id in (select "user" from orders where amount > 90)`,
	`select * from users where id not in (select "user" from orders)`,
	`select * from users u where not exists (select from orders o where o."user" = u.id)`,
	`select grp, count(*), sum(id) from users group by grp having count(*) > 3`,
	`select grp, id, count(*) from users group by grouping sets ((grp), (id), ())`,
	`select grp, id % 2, count(*) from users group by cube (grp, id % 2)`,
	`select distinct grp from users`,
	`select grp from users union select "user" from orders`,
	`select grp from users except all select "user" from orders`,
	`select grp from users intersect select "user" from orders`,
	`select id, row_number() over (partition by grp order by name), sum(id) over () from users`,
	`select * from (select id, row_number() over (order by id) n from users) s where n < 5`,
	`with recursive r as (select 1 as n union all select n + 1 from r where n < 10) select * from r`,
	`with a as materialized (select * from users where grp = 1) select * from a x join a y using (id)`,
	`select *, (select count(*) from orders o where o."user" = u.id) from users u where id < 20`,
	`select * from users where grp = (select max(grp) from users)`,
	`select * from "Odd schema"."Order" "Alias" where "select" = 3`,
	`select * from generate_series(1, 10) g, lateral (values (g), (g + 1)) v(x)`,
	`select * from part where v = 3`,
	`select * from part where k = 3`,
	`select * from users where ctid = '(0,1)' or ctid = '(0,2)'`,
	`select * from users where ctid < '(1,0)'`,
	`select * from users tablesample bernoulli (10) repeatable (3)`,
	`select * from users tablesample system (10) repeatable (1)`,
	`select * from users where grp = 3 or id = 7`,
	`select * from users where grp = 3 and id < 100`,
	`select unnest(tags) from users`,
	`select * from users where false`,
	`select * from xmltable('/a' passing '<a>1</a>' columns x int path '.')`,
	`select * from (select grp, name from users order by grp limit 1000) s order by grp, name`,
	`insert into users (id) values (100000) on conflict (id) do update set grp = excluded.grp where users.grp > 1`,
	`insert into users (id) values (100001) on conflict do nothing`,
	`update users set grp = grp + 1 where id < 10 returning *`,
	`update part set v = v + 1`,
	`delete from users where id = 17`,
	`select * from users where id < 10 for update`,
	`select u.* from users u cross join lateral (select * from orders o where o."user" = u.grp limit 1) o`,
	`select count(*) from users a join users b on a.name = b.name and a.grp <> b.grp`,
	`select amount, count(*) from orders group by amount order by 2 desc limit 5`,
}

func TestAPlanPrintsAsTheServerPrintsIt(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, planTables...)
	statements, seen := planStatements, map[string]bool{}
	if sqltest.Server(t).MajorVersion() >= 15 {
		statements = append(statements, `merge into users u using orders o on u.id = o."user" and o.id < 30 when matched then update set grp = 0 when not matched and o.id < 10 then insert (id) values (o.id + 200000)`)
	}
	off := false
	parallel := []string{"set local parallel_setup_cost = 0", "set local parallel_tuple_cost = 0", "set local min_parallel_table_scan_size = 0", "set local parallel_leader_participation = on"}
	for _, setting := range []struct {
		name       string
		statements []string
		opts       admin.ExplainOptions
	}{
		{"plain", nil, admin.ExplainOptions{}},
		{"verbose", nil, admin.ExplainOptions{Verbose: true, Settings: true}},
		{"no costs", nil, admin.ExplainOptions{NoCosts: true}},
		{"analyze", []string{"set local work_mem = '1MB'"}, admin.ExplainOptions{Analyze: true, NoTiming: true, NoCosts: true, Summary: &off, Buffers: &off}},
		{"little memory", []string{"set local work_mem = '64kB'"}, admin.ExplainOptions{Analyze: true, NoTiming: true, NoCosts: true, Summary: &off, Buffers: &off, Settings: true}},
		{"no hashing", []string{"set local enable_hashjoin = off", "set local enable_hashagg = off", "set local enable_seqscan = off"}, admin.ExplainOptions{Analyze: true, NoTiming: true, NoCosts: true, Summary: &off, Buffers: &off, Verbose: true}},
		{"merging", []string{"set local enable_hashjoin = off", "set local enable_nestloop = off"}, admin.ExplainOptions{}},
		{"parallel", parallel, admin.ExplainOptions{}},
		{"a worker", append(parallel, "set local max_parallel_workers_per_gather = 1", "set local parallel_leader_participation = off"), admin.ExplainOptions{Analyze: true, Verbose: true, NoTiming: true, NoCosts: true, Summary: &off, Buffers: &off}},
	} {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, tx, setting.statements...)
		for _, statement := range statements {
			got, want := bothTexts(t, tx, setting.opts, statement, seen)
			for range 20 { // as many workers as there are, which others need too
				if got == want || setting.name != "a worker" {
					break
				}
				got, want = bothTexts(t, tx, setting.opts, statement, seen)
			}
			if got != want {
				t.Errorf("%s: %s:\ngot\n%s\nwant\n%s", setting.name, statement, got, want)
			}
		}
		tx.Rollback()
	}
	for kind := range strings.SplitSeq("Result,ProjectSet,ModifyTable,Append,Recursive Union,BitmapOr,Nested Loop,Merge Join,Hash Join,Seq Scan,Sample Scan,Gather,"+
		"Gather Merge,Index Scan,Index Only Scan,Bitmap Index Scan,Bitmap Heap Scan,Tid Scan,Tid Range Scan,Subquery Scan,Function Scan,Table Function Scan,"+
		"Values Scan,CTE Scan,WorkTable Scan,Materialize,Memoize,Sort,Incremental Sort,Aggregate,WindowAgg,Unique,SetOp,LockRows,Limit,Hash,line of a worker", ",") {
		if !seen[kind] {
			t.Errorf("no plan had a %s", kind)
		}
	}
}

// bothTexts is the text of a plan, and the server's own.
func bothTexts(t *testing.T, q ext.Querier, o admin.ExplainOptions, statement string, seen map[string]bool) (got, want string) {
	t.Helper()
	plan, err := admin.Explain(t.Context(), q, o, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	lines, err := admin.ExplainText(t.Context(), q, o, "text", statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for _, n := range plan.Root.All() {
		seen[n.Type] = true
	}
	seen["line of a worker"] = seen["line of a worker"] || strings.Contains(plan.String(), "Worker 0:  ")
	// The JSON does not tell whether a 0 is rounded: the text has the line then.
	lines = slices.DeleteFunc(lines, func(line string) bool {
		return strings.Contains(line, "Rows Removed by") && strings.HasSuffix(line, ": 0")
	})
	return fetches.ReplaceAllString(plan.String(), "$1"), fetches.ReplaceAllString(strings.Join(lines, "\n"), "$1")
}

// fetches is a figure that the run before changes: dead entries of an index are marked by the one that finds them.
var fetches = regexp.MustCompile(`(Heap Fetches: )[0-9]+`)

// plans are small plans of known figures.
const (
	nestedPlan = `[{"Plan": {"Node Type": "Nested Loop", "Startup Cost": 0.5, "Total Cost": 1000, "Plan Rows": 90, "Plan Width": 8, "Plans": [
		{"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "order", "Alias": "o", "Startup Cost": 0, "Total Cost": 100, "Plan Rows": 80, "Plan Width": 4, "Filter": "(a < 'x&y'::text)"},
		{"Node Type": "Index Scan", "Parent Relationship": "Inner", "Index Name": "I", "Relation Name": "t", "Alias": "t", "Startup Cost": 0, "Total Cost": 10, "Plan Rows": 1, "Plan Width": 4}]}}]`
	gatherPlan = `{"Plan": {"Node Type": "Gather", "Actual Startup Time": 1, "Actual Total Time": 100, "Actual Rows": 3, "Actual Loops": 1, "Workers Planned": 3, "Workers Launched": 3, "Plans": [
		{"Node Type": "Seq Scan", "Parallel Aware": true, "Relation Name": "t", "Alias": "t", "Actual Startup Time": 1, "Actual Total Time": 80, "Actual Rows": 1, "Actual Loops": 4}]},
		"Planning Time": 0.25, "Triggers": [{"Trigger Name": "x", "Relation": "t", "Time": 1.5, "Calls": 2}], "Execution Time": 101}`
)

func TestSharesArePartsOfTheWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		plan string
		want []float64
	}{
		{nestedPlan, []float64{0.1, 0.1, 0.8}}, // the inner side: 80 loops of 10
		{gatherPlan, []float64{0.2, 0.8}},      // 4 processes, 80 ms each
		{strings.Replace(nestedPlan, `"Plan Rows": 80`, `"Plan Rows": 800`, 1), []float64{0, 0.1, 0.9}},
	} {
		plan, err := admin.ParsePlan([]byte(c.plan))
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, n := range plan.Root.All() {
			got = append(got, plan.Share(n))
		}
		if len(got) != len(c.want) || slices.ContainsFunc(got, func(f float64) bool {
			w := c.want[slices.Index(got, f)]
			return f < w-0.001 || f > w+0.001
		}) {
			t.Errorf("shares: %v, want %v", got, c.want)
		}
		if top := plan.Costly()[0]; plan.Share(top) != slices.Max(got) {
			t.Errorf("the costliest step is %s", top.Label)
		}
	}
}

func TestAPlanHasItsFigures(t *testing.T) {
	t.Parallel()
	plan, err := admin.ParsePlan([]byte(gatherPlan))
	if err != nil {
		t.Fatal(err)
	}
	if plan.PlanningTime != 250*time.Microsecond || plan.ExecutionTime != 101*time.Millisecond || len(plan.Triggers) != 1 || plan.Triggers[0].Time != 1500*time.Microsecond {
		t.Errorf("plan: %+v", plan)
	}
	scan := plan.Root.Children[0]
	if scan.Label != "Parallel Seq Scan on t" || scan.Relation != "t" || !scan.Analyzed || scan.Loops != 4 || scan.ActualTotal != 80*time.Millisecond {
		t.Errorf("scan: %+v", scan)
	}
	if got := plan.Root.Property("Workers Launched"); got != json.Number("3") {
		t.Errorf("property: %v", got)
	}
	if string(plan.JSON()) != gatherPlan {
		t.Error("the JSON is not the one that was read")
	}
	for text, want := range map[string]string{
		"": "EOF", "[]": "0 plans", "{}": `no object "Plan"`, `[{"Plan": {}}]`: `no "Node Type"`, `[{"Plan": 3}]`: `no object "Plan"`, `{"Plan": {"Node Type": "Result", "Plans": [1]}}`: "no object", `{"Plan": {"Node Type": "Result"}} {}`: "something follows",
		strings.Repeat("[", 5000): "nested too deeply",
	} {
		if _, err := admin.ParsePlan([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50q: %v, want %q", text, err, want)
		}
	}
}

func TestThePictureIsSelfContainedAndMarksWhatIsCostly(t *testing.T) {
	t.Parallel()
	plan, err := admin.ParsePlan([]byte(nestedPlan))
	if err != nil {
		t.Fatal(err)
	}
	var svg, page strings.Builder
	if err := plan.WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	if err := plan.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	checkXML(t, svg.String())
	if got := strings.Count(svg.String(), `class="step costly"`); got != 3 {
		t.Errorf("%d steps are marked, want those of a tenth or more", got)
	}
	for _, want := range []string{`Seq Scan on &#34;order&#34; o`, `Index Scan using &#34;I&#34; on t`, `x&amp;y`, `>80 %<`} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("the picture lacks %s:\n%s", want, svg.String())
		}
	}
	if text := page.String(); strings.Contains(text, "src=") || strings.Contains(text, "href=") || !strings.Contains(text, "<svg") || !strings.Contains(text, "<pre>Nested Loop  (cost=") {
		t.Errorf("the page:\n%s", text)
	}
}

func checkXML(t testing.TB, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v\n%s", err, text)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(nestedPlan))
	f.Add([]byte(gatherPlan))
	f.Add([]byte(`{"Plan": {"Node Type": "Aggregate", "Strategy": "Mixed", "Grouping Sets": [{"Sort Key": ["a"], "Group Keys": [["a", "b"], []]}, 3], "Workers": [{"Worker Number": 0, "Sort Method": "x"}, null]}, "JIT": {"Timing": {"Generation": {"Deform": 1}}}, "Settings": {}, "Planning": 3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, err := admin.ParsePlan(data)
		if err != nil {
			return
		}
		if plan.String() == "" {
			t.Fatalf("%q: an empty plan", data)
		}
		for _, n := range plan.Root.All() {
			if s := plan.Share(n); !(s >= 0 && s <= 1) {
				t.Fatalf("%q: share %v", data, s)
			}
		}
		var svg strings.Builder
		if err := plan.WriteSVG(&svg); err != nil {
			t.Fatal(err)
		}
		checkXML(t, svg.String())
	})
}
