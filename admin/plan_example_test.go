package admin_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/pycopg/pycopg/admin"
)

func ExampleExplain() {
	db, err := sql.Open("pycopg", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	plan, err := admin.Explain(context.Background(), db, admin.ExplainOptions{Analyze: true}, "delete from users where id = $1", 7) // undone
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan)
	page, err := os.Create("plan.html")
	if err != nil {
		log.Fatal(err)
	}
	if err := plan.WriteHTML(page); err != nil {
		log.Fatal(err)
	}
}

func ExampleParsePlan() {
	plan, err := admin.ParsePlan([]byte(`[{"Plan": {"Node Type": "Sort", "Startup Cost": 95.00, "Total Cost": 100.00, "Plan Rows": 10, "Plan Width": 4,
		"Sort Key": ["id"], "Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "users", "Alias": "u",
		"Startup Cost": 0.00, "Total Cost": 80.00, "Plan Rows": 10, "Plan Width": 4, "Filter": "(id > 7)"}]}}]`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan)
	for _, step := range plan.Costly() {
		fmt.Printf("%.0f %% %s\n", 100*plan.Share(step), step.Label)
	}
	// Output:
	// Sort  (cost=95.00..100.00 rows=10 width=4)
	//   Sort Key: id
	//   ->  Seq Scan on users u  (cost=0.00..80.00 rows=10 width=4)
	//         Filter: (id > 7)
	// 80 % Seq Scan on users u
	// 20 % Sort
}
