package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// sample people sign in on a development line; every one is invented.
var samples = map[string]url.Values{
	"coordinator": person("staff-hf-7", "H-HF-01", "", "coordinator"),
	"center":      person("center-sh-3", "C-SH-01", "", "center"),
	"center-2":    person("center-sh-5", "C-SH-02", "", "center"),
	"desk":        person("desk-2", "OPS", "", "operations"),
	"agency":      person("agent-34-1", "A-340000", "340000", "agency"),
}

func person(subject, organisation, province, role string) url.Values {
	return url.Values{"subject": {subject}, "organisation": {organisation}, "province": {province}, "roles": {role}}
}

func sampleNames() []string {
	names := make([]string, 0, len(samples))
	for name := range samples {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (a *app) loginCommand() *cobra.Command {
	var dev bool
	var as, issuer, clientID string
	c := &cobra.Command{
		Use: "login", Args: cobra.NoArgs,
		Short: a.say("登录：通过机构的登录系统（设备授权），或以示范人员登录开发专线", "sign in: at your organisation's issuer (device flow), or as a sample person of a development line"),
		Example: "  huhang login --server https://line.example --issuer https://sso.example --client-id huhang-cli\n" +
			"  huhang login --dev --as coordinator",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.load()
			if err != nil {
				return err
			}
			server := a.address(s)
			if err := checked(server); err != nil {
				return err
			}
			if dev {
				s, err = a.devLogin(c.Context(), server, as)
			} else {
				s, err = a.deviceLogin(c.Context(), server, issuer, clientID)
			}
			if err != nil {
				return err
			}
			if err := a.keep(s); err != nil {
				return err
			}
			return a.whoami(c.Context())
		},
	}
	f := c.Flags()
	f.BoolVar(&dev, "dev", false, a.say("使用开发专线自带的登录", "use the sign-in that a development line brings"))
	f.StringVar(&as, "as", "coordinator", a.say("示范人员：", "the sample person: ")+strings.Join(sampleNames(), ", "))
	f.StringVar(&issuer, "issuer", "", a.say("机构登录系统的地址（OIDC）", "address of the organisation's OIDC issuer"))
	f.StringVar(&clientID, "client-id", "huhang-cli", a.say("在登录系统登记的客户端", "client as registered at the issuer"))
	_ = c.RegisterFlagCompletionFunc("as", cobra.FixedCompletions(sampleNames(), cobra.ShellCompDirectiveNoFileComp))
	c.MarkFlagsMutuallyExclusive("dev", "issuer")
	c.MarkFlagsOneRequired("dev", "issuer")
	return c
}

func (a *app) devLogin(ctx context.Context, server, as string) (saved, error) {
	form, known := samples[as]
	if !known {
		return saved{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, "as", "There is no such sample person.", "没有此示范人员。").
			Do("Choose one of "+strings.Join(sampleNames(), ", ")+".", "可选："+strings.Join(sampleNames(), "、")+"。")
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/dev/issuer/token", strings.NewReader(form.Encode()))
	if err != nil {
		return saved{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := a.HTTP.Do(r)
	if err != nil {
		return saved{}, fault.New(fault.Unavailable, fault.PeerUnavailable, "", "The line cannot be reached.", "无法连接专线。").Cause(err)
	}
	defer func() { _ = response.Body.Close() }()
	var token struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if response.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&token) != nil || token.Token == "" {
		return saved{}, fault.New(fault.FailedPrecondition, fault.WrongState, "dev", "This line has no development sign-in.", "此专线没有开发登录。").
			Do("Sign in with --issuer.", "请使用 --issuer 登录。")
	}
	return saved{Server: server, Token: token.Token, Expires: a.Clock.Now().Add(time.Duration(token.Seconds) * time.Second)}, nil
}

// deviceLogin shows a code that the person enters at the issuer, with whatever second factor that asks for (RFC 8628).
func (a *app) deviceLogin(ctx context.Context, server, issuer, clientID string) (saved, error) {
	if err := checked(issuer); err != nil {
		return saved{}, err
	}
	ctx = oidc.ClientContext(ctx, a.HTTP)
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return saved{}, fault.New(fault.Unavailable, fault.PeerUnavailable, "issuer", "The issuer cannot be asked.", "无法访问登录系统。").Cause(err)
	}
	config := oauth2.Config{ClientID: clientID, Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess}}
	if config.Endpoint.DeviceAuthURL == "" {
		return saved{}, fault.New(fault.FailedPrecondition, fault.WrongState, "issuer", "The issuer has no device sign-in.", "登录系统不支持设备授权。").
			Do("Get a token there and pass it in HUHANG_TOKEN_FILE.", "请在登录系统获取令牌，并通过 HUHANG_TOKEN_FILE 提供。")
	}
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		return saved{}, fmt.Errorf("sign in: %w", err)
	}
	_, _ = fmt.Fprintf(a.Err, a.say("请打开 %s 并输入代码 %s\n", "Open %s and enter the code %s\n"), device.VerificationURI, device.UserCode)
	token, err := config.DeviceAccessToken(ctx, device)
	if err != nil {
		return saved{}, fmt.Errorf("sign in: %w", err)
	}
	return saved{
		Server: server, Token: token.AccessToken, Expires: token.Expiry, Refresh: token.RefreshToken, TokenURL: config.Endpoint.TokenURL, ClientID: clientID,
	}, nil
}

// refresh gets the next token, or says that the person has to.
func (a *app) refresh(ctx context.Context, s saved) (string, error) {
	ended := errSignIn{"登录已过期：请运行 huhang login", "your sign-in has ended: run huhang login"}
	if s.Refresh == "" {
		return "", ended
	}
	// An issuer may take a refresh token once: of commands that run at the same time one asks, the others take what it got.
	unlock, err := a.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	now, err := a.load()
	if err != nil {
		return "", err
	}
	if now.Server == s.Server && now.Refresh != "" {
		s = now
	}
	if a.fresh(s) {
		return s.Token, nil
	}
	config := oauth2.Config{ClientID: s.ClientID, Endpoint: oauth2.Endpoint{TokenURL: s.TokenURL}}
	token, err := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, a.HTTP), &oauth2.Token{RefreshToken: s.Refresh}).Token()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < 500 && refused.Response.StatusCode != http.StatusTooManyRequests {
		return "", ended
	}
	if err != nil {
		return "", fault.New(fault.Unavailable, fault.PeerUnavailable, "", "The issuer cannot be asked.", "无法访问登录系统。").Cause(err)
	}
	s.Token, s.Expires = token.AccessToken, token.Expiry
	if token.RefreshToken != "" {
		s.Refresh = token.RefreshToken
	}
	return s.Token, a.keep(s)
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Args: cobra.NoArgs, Short: a.say("退出：删除本机保存的令牌", "sign out: remove the token from this machine"),
		RunE: func(*cobra.Command, []string) error {
			if err := os.Remove(a.file()); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		},
	}
}

func (a *app) whoamiCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "whoami", Args: cobra.NoArgs, Short: a.say("当前身份，以及专线是否认可", "who you are signed in as, and whether the line takes it"),
		RunE: func(c *cobra.Command, _ []string) error { return a.whoami(c.Context()) },
	}
	a.jsonFlag(c)
	return c
}

// whoami reads the token and asks the line whether it takes it.
func (a *app) whoami(ctx context.Context) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	token, err := conn.Token(ctx)
	if err != nil {
		return err
	}
	var claims struct {
		Subject      string   `json:"sub"`
		Organisation string   `json:"huhang_org"`
		Province     string   `json:"huhang_province,omitempty"`
		Roles        []string `json:"huhang_roles"`
		Expires      int64    `json:"exp"`
	}
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			// Only shown; what it says is the line's to verify.
			_ = json.Unmarshal(text, &claims)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	// An agency has no worklists; that it is told so means that the line knows it.
	_, err = referralv1.NewReferralServiceClient(conn).CountWorklists(ctx, &referralv1.CountWorklistsRequest{})
	if err != nil && !fault.Is(err, fault.RightMissing) {
		return err
	}
	until := time.Unix(claims.Expires, 0).In(clock.Shanghai)
	if a.json {
		return a.writeJSON(map[string]any{
			"server": conn.Base, "subject": claims.Subject, "organisation": claims.Organisation, "province": claims.Province, "roles": claims.Roles,
			"expireTime": until.UTC().Format(time.RFC3339),
		})
	}
	return a.facts([][2]string{
		{a.say("专线", "line"), conn.Base},
		{a.say("用户", "subject"), claims.Subject},
		{a.say("机构", "organisation"), claims.Organisation},
		{a.say("省份", "province"), claims.Province},
		{a.say("角色", "roles"), strings.Join(claims.Roles, ", ")},
		{a.say("有效至", "until"), until.Format("2006-01-02 15:04")},
	})
}
