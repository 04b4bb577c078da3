package main

import (
	"context"

	"github.com/pycopg/pycopg/admin"
)

// explainQuery shows how the server answers the question of runPrepared, and where the time goes.
func explainQuery(ctx context.Context, s *session) error {
	if err := admin.Analyze(ctx, s.db, admin.AnalyzeOptions{Tables: []string{"zone", "reading"}}); err != nil {
		return err
	}
	plan, err := admin.Explain(ctx, s.db, admin.ExplainOptions{Analyze: true}, queryZenith, "CH")
	if err != nil {
		return err
	}
	for _, line := range plan.Lines() {
		s.out.line("%s", line)
	}
	for _, step := range plan.Costly() {
		s.out.line("%3.0f %% of the time: %s", 100*plan.Share(step), step.Label)
	}
	return nil
}
