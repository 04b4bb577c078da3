package admin

import (
	"cmp"
	"math"
	"slices"
)

// Share is the part of the whole plan, from 0 to 1, that a step takes by itself, without those below it: of the time with Analyze
// and its timing, else of the planner's costs. Where parallel workers share the work below a Gather, it counts their
// average.
func (p *Plan) Share(n *PlanNode) float64 { return p.shares()[n] }

// Costly are the steps that take most, the first one first: those with a tenth of the whole or more.
func (p *Plan) Costly() []*PlanNode {
	const much = 0.1
	shares := p.shares()
	var nodes []*PlanNode
	for _, n := range p.Root.All() {
		if shares[n] >= much {
			nodes = append(nodes, n)
		}
	}
	slices.SortStableFunc(nodes, func(a, b *PlanNode) int { return cmp.Compare(shares[b], shares[a]) })
	return nodes
}

// shares is the share of each step.
func (p *Plan) shares() map[*PlanNode]float64 {
	shares := map[*PlanNode]float64{}
	if p.Root == nil {
		return shares
	}
	gross, below := p.Root.TotalCost, (*PlanNode).costBelow
	if p.Root.ActualTotal > 0 {
		gross, below = p.Root.time(), (*PlanNode).timeBelow
	}
	if gross > 0 && !math.IsInf(gross, 1) {
		p.Root.share(gross, gross, 1, below, shares)
	}
	return shares
}

// share notes the share of n, of which gross is all that it and the steps below it take, and theirs. processes share the work of n.
func (n *PlanNode) share(total, gross, processes float64, below func(n, c *PlanNode, gross, processes float64) float64, shares map[*PlanNode]float64) {
	own := gross
	processes *= n.gather
	for _, c := range n.Children {
		of := below(n, c, gross, processes)
		own -= of
		c.share(total, of, processes, below, shares)
	}
	if share := own / total; share > 0 { // neither negative nor, of absurd figures, no number
		shares[n] = min(1, share)
	}
}

func (n *PlanNode) time() float64 { return float64(n.ActualTotal) * n.Loops }

func (n *PlanNode) timeBelow(c *PlanNode, _, processes float64) float64 { return c.time() / processes }

// costBelow is what the planner expects of c, a step below n. It tells the costs of one loop: how often the inner side of a nested
// loop is repeated follows from the rows of the outer one, up to what the loop costs in all.
func (n *PlanNode) costBelow(c *PlanNode, gross, _ float64) float64 {
	if n.TotalCost <= 0 {
		return 0
	}
	cost := c.TotalCost
	if n.Type == "Nested Loop" && len(n.Children) > 1 && c == n.Children[len(n.Children)-1] {
		outer := n.Children[len(n.Children)-2]
		cost = min(cost*max(1, outer.Rows), n.TotalCost-outer.TotalCost)
	}
	return max(0, cost) * gross / n.TotalCost
}
