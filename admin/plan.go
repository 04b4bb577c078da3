package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

// Plan is how PostgreSQL runs a statement, or with Analyze has run it. The zero value is an empty plan.
type Plan struct {
	Root          *PlanNode
	PlanningTime  time.Duration // 0 where it was not asked for
	ExecutionTime time.Duration // 0 where it was not asked for
	Triggers      []PlanTrigger // that have fired, with Analyze

	properties []Property // of the plan as a whole, in PostgreSQL's order
	verbose    bool
	raw        []byte
}

// PlanTrigger is what a trigger has cost.
type PlanTrigger struct {
	Name       string // "" of a constraint's without Verbose
	Constraint string // "" for an ordinary trigger
	Relation   string
	Time       time.Duration // of all calls
	Calls      float64
}

// PlanNode is a step of a plan. What PostgreSQL tells beyond the fields is in Properties.
type PlanNode struct {
	Type      string // "Hash Join"; as in PostgreSQL's JSON, so "Aggregate" and "ModifyTable" for all kinds of them
	Label     string // the step as EXPLAIN names it: "Parallel Seq Scan on users u"
	Subplan   string // "InitPlan 1", "SubPlan 2", "CTE recent", or ""
	Relation  string // table that is read or written
	Schema    string // with Verbose
	Alias     string
	Index     string
	Operation string // of a ModifyTable: "Insert", "Update", "Delete", "Merge"

	StartupCost, TotalCost float64 // in the planner's units, for one loop; 0 without costs
	Rows                   float64 // that the planner expects of one loop
	Width                  int     // bytes of a row

	// With Analyze. Rows and times are those of one loop, on average, and of all workers.
	Analyzed    bool
	ActualRows  float64
	Loops       float64 // 0: the step was never executed
	ActualStart time.Duration
	ActualTotal time.Duration

	Children   []*PlanNode
	Properties []Property // in PostgreSQL's order

	numbers map[string]string // as the server wrote them
	gather  float64           // processes that share the work below this node
}

// Property is a line of a plan that is no field of a node or plan. Value is a string, a bool, a json.Number, or of these a []any or
// a [Properties].
type Property struct {
	Key   string
	Value any
}

// Properties are those of an object, in its order.
type Properties []Property

// get is the value of a key, nil where there is none.
func (p Properties) get(key string) any {
	for _, one := range p {
		if one.Key == key {
			return one.Value
		}
	}
	return nil
}

func (p Properties) text(key string) string {
	s, _ := p.get(key).(string)
	return s
}

func (p Properties) number(key string) float64 {
	n, _ := p.get(key).(json.Number)
	f, err := n.Float64()
	if err != nil { // none, or out of range
		return 0
	}
	return f
}

func (p Properties) is(key string) bool {
	b, _ := p.get(key).(bool)
	return b
}

// Property is the value of a property of the node, nil where it has none.
func (n *PlanNode) Property(key string) any { return Properties(n.Properties).get(key) }

// All yields the node and those below it, as EXPLAIN lists them, each with its depth.
func (n *PlanNode) All() iter.Seq2[int, *PlanNode] {
	return func(yield func(int, *PlanNode) bool) {
		if n != nil {
			n.walk(0, yield)
		}
	}
}

func (n *PlanNode) walk(depth int, yield func(int, *PlanNode) bool) bool {
	if !yield(depth, n) {
		return false
	}
	for _, c := range n.Children {
		if !c.walk(depth+1, yield) {
			return false
		}
	}
	return true
}

// JSON is the plan as the server sent it.
func (p *Plan) JSON() []byte { return p.raw }

// ParsePlan reads the JSON of EXPLAIN (FORMAT JSON), of one statement, from any version of PostgreSQL.
func ParsePlan(data []byte) (*Plan, error) {
	plan, err := parsePlan(data)
	if err != nil {
		return nil, fmt.Errorf("admin: plan: %w", err)
	}
	return plan, nil
}

func parsePlan(data []byte) (*Plan, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	all, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON")
	}
	if list, ok := all.([]any); ok {
		if len(list) != 1 {
			return nil, fmt.Errorf("%d plans, and not one", len(list))
		}
		all = list[0]
	}
	top, _ := all.(Properties)
	root, ok := top.get("Plan").(Properties)
	if !ok {
		return nil, errors.New("there is no object \"Plan\"")
	}
	p := &Plan{raw: data, properties: top, PlanningTime: milliseconds(top.number("Planning Time")), ExecutionTime: milliseconds(top.number("Execution Time"))}
	if p.Root, err = newPlanNode(root); err != nil {
		return nil, err
	}
	triggers, _ := top.get("Triggers").([]any)
	for _, t := range triggers {
		t, _ := t.(Properties)
		p.Triggers = append(p.Triggers, PlanTrigger{
			Name: t.text("Trigger Name"), Constraint: t.text("Constraint Name"), Relation: t.text("Relation"),
			Time: milliseconds(t.number("Time")), Calls: t.number("Calls"),
		})
	}
	for _, n := range p.Root.All() {
		p.verbose = p.verbose || n.Property("Output") != nil
	}
	return p, nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// maxPlanDepth is more than any plan has.
const maxPlanDepth = 2000

// readValue reads a JSON value; the keys of objects keep their order.
func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxPlanDepth {
		return nil, errors.New("the JSON is nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		object := Properties{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			object = append(object, Property{fmt.Sprint(key), v})
		}
		_, err = d.Token()
		return object, err
	}
	return token, nil
}

// fieldKeys are the properties that have become fields, or part of the label.
var fieldKeys = map[string]bool{
	"Node Type": true, "Parent Relationship": true, "Subplan Name": true, "Partial Mode": true, "Parallel Aware": true, "Async Capable": true,
	"Join Type": true, "Scan Direction": true, "Index Name": true, "Relation Name": true, "Schema": true, "Alias": true, "Function Name": true,
	"Table Function Name": true, "CTE Name": true, "Tuplestore Name": true, "Operation": true, "Command": true, "Strategy": true,
	"Custom Plan Provider": true, "Startup Cost": true, "Total Cost": true, "Plan Rows": true, "Plan Width": true, "Actual Startup Time": true,
	"Actual Total Time": true, "Actual Rows": true, "Actual Loops": true, "Plans": true,
}

func newPlanNode(p Properties) (*PlanNode, error) {
	n := &PlanNode{
		Type: p.text("Node Type"), Subplan: p.text("Subplan Name"), Relation: p.text("Relation Name"), Schema: p.text("Schema"),
		Alias: p.text("Alias"), Index: p.text("Index Name"), Operation: p.text("Operation"),
		StartupCost: p.number("Startup Cost"), TotalCost: p.number("Total Cost"), Rows: p.number("Plan Rows"), Width: int(p.number("Plan Width")),
		Analyzed: p.get("Actual Loops") != nil, ActualRows: p.number("Actual Rows"), Loops: p.number("Actual Loops"),
		ActualStart: milliseconds(p.number("Actual Startup Time")), ActualTotal: milliseconds(p.number("Actual Total Time")),
		numbers: map[string]string{}, gather: 1,
	}
	if n.Type == "" {
		return nil, errors.New("a step has no \"Node Type\"")
	}
	n.Label = planLabel(p)
	for _, one := range p {
		if number, ok := one.Value.(json.Number); ok && fieldKeys[one.Key] {
			n.numbers[one.Key] = string(number)
		}
		if !fieldKeys[one.Key] {
			n.Properties = append(n.Properties, one)
		}
	}
	workers, ok := n.Property("Workers Launched").(json.Number)
	if count, err := strconv.Atoi(string(workers)); ok && err == nil && count > 0 {
		n.gather = float64(count + 1)
	}
	children, _ := p.get("Plans").([]any)
	for _, c := range children {
		object, ok := c.(Properties)
		if !ok {
			return nil, errors.New("a step of \"Plans\" is no object")
		}
		child, err := newPlanNode(object)
		if err != nil {
			return nil, err
		}
		n.Children = append(n.Children, child)
	}
	return n, nil
}
