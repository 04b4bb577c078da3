// Package listen is PostgreSQL's LISTEN and NOTIFY for [database/sql]: notifications that are never lost without a word.
//
//	I want to …                                   function
//	wait for a few notifications, in a loop       Notifications
//	serve many subscribers for the program's life New, (*Listener).Run, Subscribe, Handle
//	send one                                      Notify, NotifyJSON
//	send many, and few statements for them        NewNotifier
//	read a payload that is JSON                   Decode
//	know at once that the server has gone         Watch
//
// A program that used lib/pq's Listener finds the same one in listen/pqcompat.
//
// # What PostgreSQL promises
//
// A notification is delivered when the transaction that sent it has committed, to the sessions that listen by then, in the order
// of the commits, once. Nothing is stored: who is not connected misses it, and no error says so. A [Listener] says so: after
// each outage every subscriber gets a [Gap] that covers the time during which notifications may have been missed, so that
// it can look into its tables for what has happened. Equal notifications of one transaction are delivered as one. A server's queue
// holds 8 GB; a session that stays in a transaction keeps the server from emptying it.
//
// Transactions that notify take a lock of the whole database cluster when they commit: where that hurts, send through a
// [Notifier] after the commit.
//
// # Where notifications come from
//
// LISTEN needs a session of its own. It does not work through a pooler in transaction mode (PgBouncer, Supavisor) nor on a
// standby server; these functions refuse both. Name the server itself in the DSN of the handle that listens.
package listen
