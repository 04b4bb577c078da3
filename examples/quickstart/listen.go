package main

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/listen"
)

// sighting is the payload of a notification, as JSON.
type sighting struct {
	Zone      string  `json:"zone"`
	Elevation float64 `json:"elevation"`
}

// listenAndNotify subscribes to a channel, notifies it, and prints what has arrived. One connection serves all subscriptions;
// when it is lost, it is made again, and a subscriber is told what it may have missed (Event.Gap).
func listenAndNotify(ctx context.Context, s *session) error {
	ctx, stop := context.WithCancel(ctx)
	listener := listen.New(s.db, listen.ListenerOptions{})
	ended := make(chan error, 1)
	go func() { ended <- listener.Run(ctx) }()
	defer func() { stop(); <-ended }()

	channel := s.schema + " sightings" // any text is the name of a channel; channels belong to the database
	subscription, err := listener.Subscribe(ctx, channel, listen.SubOptions{})
	if err != nil {
		return err
	}
	if err := listener.Ready(ctx); err != nil {
		return err
	}
	sent := []sighting{{"Europe/Zurich", 65.4}, {"Asia/Tokyo", 77.8}, {"Pacific/Auckland", 29.7}}
	for _, what := range sent {
		if err := listen.NotifyJSON(ctx, s.db, channel, what); err != nil {
			return err
		}
	}
	s.out.line("notified %d times", len(sent))
	for range sent {
		event, err := subscription.Next(ctx)
		if err != nil {
			return err
		}
		if event.Gap != nil {
			return fmt.Errorf("the listener's connection was lost: %w", event.Gap.Err)
		}
		got, err := listen.Decode[sighting](event.Notification)
		if err != nil {
			return err
		}
		s.out.line("heard from server process %d: %s, the sun at %.1f°", event.PID, got.Zone, got.Elevation)
	}
	return nil
}
