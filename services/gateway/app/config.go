package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"huhang.example/services/gateway/console"
	"huhang.example/services/gateway/devissuer"
	"huhang.example/services/gateway/limit"
	"huhang.example/services/gateway/signin"
	"huhang.example/services/internal/place"
)

// Config is the gateway's part of the settings.
type Config struct {
	Instance string `yaml:"instance"`
	// Listen is host:port of REST and the pages; default 127.0.0.1:8080.
	Listen string `yaml:"listen"`
	// GRPCListen is host:port for partner hospitals' systems, with mutual TLS; default 127.0.0.1:8443.
	GRPCListen string `yaml:"grpc_listen"`
	// AllowedOrigins are the sites, such as https://console.example, whose pages may call the API from a browser.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// Issuers are the sign-ins whose tokens are accepted.
	Issuers []signin.Issuer `yaml:"issuers"`
	// DevIssuer serves a sign-in under /dev/issuer that lets anybody be anybody; on a loopback address alone.
	DevIssuer bool `yaml:"dev_issuer"`
	// Console is where people sign in to the console; where the development sign-in is on, that is the default.
	Console console.SignIn `yaml:"console"`
	// StateDir keeps the development sign-in's key.
	StateDir string `yaml:"state_dir"`
	// DefaultSettlementProvince takes the settlement calls that name no province; empty: they are refused.
	DefaultSettlementProvince string `yaml:"default_settlement_province"`
	// RateLimit bounds each caller.
	RateLimit limit.Config `yaml:"rate_limit"`
	// MaxBodyBytes bounds a request's body; default 1 MiB, which is also what services take.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
}

const (
	defaultListen     = "127.0.0.1:8080"
	defaultGRPCListen = "127.0.0.1:8443"
	largestBody       = 1 << 20
)

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = defaultListen
	}
	if c.GRPCListen == "" {
		c.GRPCListen = defaultGRPCListen
	}
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = largestBody
	}
	return c
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	c = c.withDefaults()
	if c.Instance == "" {
		return errors.New("instance: needed")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if _, _, err := net.SplitHostPort(c.GRPCListen); err != nil {
		return fmt.Errorf("grpc_listen: %w", err)
	}
	switch {
	case c.DevIssuer && !devissuer.OnlyHere(host):
		return errors.New("dev_issuer: lets anybody be anybody, so listen must be a loopback address")
	case c.DevIssuer && c.StateDir == "":
		return errors.New("state_dir: needed for the key of dev_issuer")
	case !c.DevIssuer && len(c.Issuers) == 0:
		return errors.New("issuers: at least one, or nobody can sign in")
	case c.MaxBodyBytes < 0 || c.MaxBodyBytes > largestBody:
		return fmt.Errorf("max_body_bytes: at most %d, what services take", largestBody)
	}
	for i, issuer := range c.Issuers {
		if err := issuer.Validate(); err != nil {
			return fmt.Errorf("issuers[%d].%w", i, err)
		}
	}
	if err := c.Console.Validate(); err != nil {
		return fmt.Errorf("console.%w", err)
	}
	for _, origin := range c.AllowedOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != origin {
			return errors.New("allowed_origins: each is scheme://host[:port] and nothing more")
		}
	}
	if p := c.DefaultSettlementProvince; p != "" {
		if _, ok := place.Province(p); !ok {
			return errors.New("default_settlement_province: not a province")
		}
	}
	return c.RateLimit.Validate()
}
