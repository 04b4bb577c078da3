package main

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// runPipeline asks for several countries at once: the statements travel together, their results come back together.
func runPipeline(ctx context.Context, s *session) error {
	codes := []string{"CH", "IT", "JP"}
	zones := make([]*ext.Pending[int], len(codes))
	var total *ext.Pending[int]
	err := ext.Pipeline(ctx, s.db, func(p *ext.Pipe) error {
		for i, code := range codes {
			zones[i] = ext.QueueVal[int](p, "select zones from country where country = $1", code)
		}
		total = ext.QueueVal[int](p, "select sum(zones) from country where country = any ($1)", codes)
		return nil
	})
	if err != nil {
		return err
	}
	for i, code := range codes {
		n, err := zones[i].Get()
		if err != nil {
			return err
		}
		s.out.line("%s has %d of them", code, n)
	}
	n, err := total.Get()
	if err != nil {
		return err
	}
	s.out.line("the pipeline ran %d statements: %d zones together", len(codes)+1, n)
	return nil
}
