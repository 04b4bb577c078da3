package driver

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// setSocketOptions applies the keepalive settings and tcp_user_timeout to a TCP connection. A connection of a Dial hook
// that is no socket is an error only where an option was asked for.
func (c *Config) setSocketOptions(nc net.Conn) error {
	k, ok := nc.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	})
	switch {
	case ok:
		err := k.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: c.KeepAlives, Idle: c.KeepAlivesIdle, Interval: c.KeepAlivesInterval, Count: c.KeepAlivesCount,
		})
		if err != nil {
			return fmt.Errorf("keepalives: %w", err)
		}
	case c.KeepAlivesIdle != 0 || c.KeepAlivesInterval != 0 || c.KeepAlivesCount != 0:
		return errors.New("keepalives: the connection of the Dial hook is not a TCP socket")
	}
	if c.TCPUserTimeout <= 0 {
		return nil
	}
	if err := control(nc, func(fd uintptr) error { return setTCPUserTimeout(fd, c.TCPUserTimeout) }); err != nil {
		return fmt.Errorf("tcp_user_timeout: %w", err)
	}
	return nil
}

// control runs f on the socket under a connection.
func control(nc net.Conn, f func(fd uintptr) error) error {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return errors.New("the connection of the Dial hook is not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(fd) }); err != nil {
		return err
	}
	return inner
}

// checkPeer refuses a unix socket whose server runs as another user than requirepeer.
func (c *Config) checkPeer(nc net.Conn) error {
	var name string
	err := control(nc, func(fd uintptr) (err error) { name, err = peerUser(fd); return err })
	if err != nil {
		return fmt.Errorf("requirepeer: %w", err)
	}
	if name != c.RequirePeer {
		return fmt.Errorf("requirepeer: the server runs as %q, not as %q", name, c.RequirePeer)
	}
	return nil
}
