package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// CommentOn sets the comment on an object, "" removes it: CommentOn(ctx, db, admin.TableColumn("users", "email"), "as typed in").
func CommentOn(ctx context.Context, q ext.Querier, object Objects, comment string) error {
	text, err := commentOn(object, comment)
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return fmt.Errorf("admin: comment on %s: %w", object, object.explain(ctx, q, err))
	}
	return nil
}

func commentOn(object Objects, comment string) (string, error) {
	target, err := object.commentTarget()
	if err != nil {
		return "", err
	}
	text, err := commentText(comment)
	return "comment on " + target + " is " + text, err
}

// commentText is what COMMENT sets: a text, or nothing for "".
func commentText(comment string) (string, error) {
	if comment == "" {
		return "null", nil
	}
	return literal(comment)
}
