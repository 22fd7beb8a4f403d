package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/cli/restconn"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// completer completes an argument.
type completer = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

// action is one thing a person may do to a record: an RPC of the contract that takes a request id.
type action struct {
	*app
	method  protoreflect.MethodDescriptor
	idField protoreflect.Name // empty: it makes the record
	etag    string
	request string
	from    string
}

// actions are the commands for a service's changes of one record. They are made of its descriptor, so that what the line
// learns to do can be done here.
func (a *app) actions(service protoreflect.FullName, idField protoreflect.Name, complete completer) []*cobra.Command {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(service)
	if err != nil {
		panic(err) // a service that is linked in has its descriptor
	}
	var commands []*cobra.Command
	methods := found.(protoreflect.ServiceDescriptor).Methods()
	for i := range methods.Len() {
		x := &action{app: a, method: methods.Get(i), idField: idField}
		if use := x.name(); use != "" && x.field("request_id") != nil && !x.method.IsStreamingClient() {
			commands = append(commands, x.command(use, complete))
		}
	}
	return commands
}

func (x *action) field(name protoreflect.Name) protoreflect.FieldDescriptor {
	return x.method.Input().Fields().ByName(name)
}

func (x *action) path() string {
	return "/" + string(x.method.Parent().FullName()) + "/" + string(x.method.Name())
}

// name is the verb of the REST path, in small letters; "create" where the record does not exist yet.
func (x *action) name() string {
	_, pattern, _, err := restconn.Rule(x.path())
	if err != nil {
		return ""
	}
	if _, verb, has := strings.Cut(pattern, "{"+string(x.idField)+"}:"); has {
		return kebab(verb)
	}
	if strings.HasPrefix(string(x.method.Name()), "Create") && !strings.Contains(pattern, "{") && !strings.Contains(pattern, ":") {
		x.idField = ""
		return "create"
	}
	return ""
}

func kebab(camel string) string {
	var b strings.Builder
	for _, r := range camel {
		if unicode.IsUpper(r) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// commandOf is the command for an action that the line offers, or its name where it is done elsewhere.
func commandOf(rpc string) string {
	for _, service := range []protoreflect.FullName{
		"huhang.referral.v1.ReferralService", "huhang.matching.v1.MatchingService", "huhang.transfer.v1.TransferService", "huhang.transfer.v1.MoveService",
	} {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(service.Append(protoreflect.Name(rpc)))
		if err != nil {
			continue
		}
		for _, idField := range []protoreflect.Name{"referral_id", "offer_id", "transfer_id"} {
			if name := (&action{method: found.(protoreflect.MethodDescriptor), idField: idField}).name(); name != "" && name != "create" {
				return map[protoreflect.Name]string{"referral_id": "case ", "offer_id": "offers ", "transfer_id": "transfer "}[idField] + name
			}
		}
	}
	return rpc
}

func (x *action) command(use string, complete completer) *cobra.Command {
	what := use
	if x.idField == "" {
		what = string(x.method.Name()) // of each record another
	}
	words, known := verbs[what]
	if !known {
		words = [2]string{string(x.method.Name()), string(x.method.Name())}
	}
	c := &cobra.Command{Use: use, Short: x.say(words[0], words[1]), Args: cobra.NoArgs}
	if x.idField != "" {
		c.Use, c.Args, c.ValidArgsFunction = use+" ID", cobra.ExactArgs(1), complete
	}
	x.flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		id := ""
		if len(args) > 0 {
			id = args[0]
		}
		return x.run(c, id)
	}
	return c
}

func (x *action) own(f protoreflect.FieldDescriptor) bool {
	return f.Name() != "request_id" && f.Name() != "etag" && f.Name() != x.idField
}

func flagName(f protoreflect.FieldDescriptor) string {
	return strings.ReplaceAll(string(f.Name()), "_", "-")
}

// flags makes one for each field that fits on a command line.
func (x *action) flags(c *cobra.Command) {
	fields := x.method.Input().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case !x.own(f), f.IsMap(), f.Message() != nil && !isTime(f):
		case f.IsList():
			c.Flags().StringSlice(flagName(f), nil, x.say("可重复，或以逗号分隔", "may be repeated, or separated by commas"))
		case f.Kind() == protoreflect.BoolKind:
			c.Flags().Bool(flagName(f), false, "")
		case f.Enum() != nil:
			c.Flags().String(flagName(f), "", strings.Join(codes(f.Enum()), ", "))
			_ = c.RegisterFlagCompletionFunc(flagName(f), cobra.FixedCompletions(codes(f.Enum()), cobra.ShellCompDirectiveNoFileComp))
		case isTime(f):
			c.Flags().String(flagName(f), "", x.say("北京时间 2026-12-01T08:30，或RFC 3339", "2026-12-01T08:30 in China, or RFC 3339"))
		default:
			c.Flags().String(flagName(f), "", x.say(hints[f.Name()][0], hints[f.Name()][1]))
		}
	}
	c.Flags().StringVar(&x.from, "from", "", x.say("从JSON文件读取全部字段，- 为标准输入", "read the fields from a file of JSON, - is the standard input"))
	c.Flags().StringVar(&x.request, "request-id", "", x.say("重复一次未知结果的办理时使用同一标识", "the id of an attempt whose outcome is not known, to repeat it"))
	if x.field("etag") != nil {
		c.Flags().StringVar(&x.etag, "etag", "", x.say("您看到的版本；默认取当前版本", "the version you saw; default: the present one"))
	}
	x.jsonFlag(c)
}

func isTime(f protoreflect.FieldDescriptor) bool {
	return f.Message() != nil && f.Message().FullName() == "google.protobuf.Timestamp" && !f.IsList()
}

// fill reads the arguments into a request. What is wrong with them is the caller's to mend.
func (x *action) fill(c *cobra.Command, id string) (protoreflect.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(x.method.Input().FullName())
	if err != nil {
		return nil, err
	}
	m := kind.New()
	if x.from != "" {
		text, err := x.read()
		if err != nil {
			return nil, err
		}
		if err := protojson.Unmarshal(text, m.Interface()); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	}
	fields := x.method.Input().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !x.own(f) || !c.Flags().Changed(flagName(f)) {
			continue
		}
		if err := x.set(c, m, f); err != nil {
			return nil, fmt.Errorf("--%s: %w", flagName(f), err)
		}
	}
	if x.idField != "" {
		m.Set(x.field(x.idField), protoreflect.ValueOfString(id))
	}
	if x.request == "" {
		x.request = x.IDs.New("cli")
	}
	m.Set(x.field("request_id"), protoreflect.ValueOfString(x.request))
	return m, nil
}

const maxFile = 1 << 20

func (x *action) read() ([]byte, error) {
	in := x.In
	if x.from != "-" {
		file, err := os.Open(x.from)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, maxFile))
}

func (x *action) set(c *cobra.Command, m protoreflect.Message, f protoreflect.FieldDescriptor) error {
	if f.IsList() {
		typed, err := c.Flags().GetStringSlice(flagName(f))
		if err != nil {
			return err
		}
		list := m.NewField(f).List()
		for _, one := range typed {
			v, err := value(f, one)
			if err != nil {
				return err
			}
			list.Append(v)
		}
		m.Set(f, protoreflect.ValueOfList(list))
		return nil
	}
	v, err := value(f, c.Flags().Lookup(flagName(f)).Value.String())
	if err != nil {
		return err
	}
	m.Set(f, v)
	return nil
}

// value reads one typed word as a field's value.
func value(f protoreflect.FieldDescriptor, typed string) (protoreflect.Value, error) {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(typed), nil
	case protoreflect.BoolKind:
		b, err := strconv.ParseBool(typed)
		return protoreflect.ValueOfBool(b), err
	case protoreflect.Int32Kind:
		n, err := strconv.ParseInt(typed, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), err
	case protoreflect.Int64Kind:
		n, err := strconv.ParseInt(typed, 10, 64)
		return protoreflect.ValueOfInt64(n), err
	case protoreflect.DoubleKind:
		n, err := strconv.ParseFloat(typed, 64)
		return protoreflect.ValueOfFloat64(n), err
	case protoreflect.EnumKind:
		n, known := numberOf(f.Enum(), typed)
		if !known {
			return protoreflect.Value{}, errors.New(strings.Join(codes(f.Enum()), ", "))
		}
		return protoreflect.ValueOfEnum(n), nil
	case protoreflect.MessageKind:
		t, err := instant(typed)
		return protoreflect.ValueOfMessage(timestamppb.New(t).ProtoReflect()), err
	}
	return protoreflect.Value{}, errors.New("use --from")
}

// instant reads a time as people write it, in China, or as programs do.
func instant(typed string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, typed, clock.Shanghai); err == nil {
			return t, nil
		}
	}
	return time.Parse(time.RFC3339, typed)
}

func (x *action) run(c *cobra.Command, id string) error {
	in, err := x.fill(c, id)
	if err != nil {
		x.ran = false
		return err
	}
	conn, err := x.dial()
	if err != nil {
		return err
	}
	if err := x.version(c.Context(), conn, in, "etag", x.etag, id); err != nil {
		return err
	}
	if other := x.field("merged_id"); other != nil && in.Get(other).String() != "" {
		if err := x.version(c.Context(), conn, in, "merged_etag", "", in.Get(other).String()); err != nil {
			return err
		}
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(x.method.Output().FullName())
	if err != nil {
		return err
	}
	out := kind.New().Interface()
	err = x.again(c.Context(), func(ctx context.Context) error { return conn.Invoke(ctx, x.path(), in.Interface(), out) })
	if f, refused := fault.As(err); refused && (f.Code == fault.Unavailable || f.Code == fault.DeadlineExceeded) {
		_, _ = fmt.Fprintf(x.Err, x.say("结果未知；请用 --request-id %s 重复\n", "the outcome is not known; repeat with --request-id %s\n"), x.request)
	}
	if err != nil {
		return err
	}
	return x.done(out)
}

// version fills in which version of a record the call is about, where nobody said: the present one.
func (x *action) version(ctx context.Context, conn grpc.ClientConnInterface, in protoreflect.Message, name protoreflect.Name, said, id string) (err error) {
	f := x.field(name)
	if f == nil || in.Get(f).String() != "" {
		return nil
	}
	if said == "" {
		if said, err = x.current(ctx, conn, id); err != nil {
			return err
		}
	}
	in.Set(f, protoreflect.ValueOfString(said))
	return nil
}

// current is the version a record has now.
func (x *action) current(ctx context.Context, conn grpc.ClientConnInterface, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	switch x.idField {
	case "patient_id":
		got, err := patientv1.NewPatientServiceClient(conn).GetPatient(ctx, &patientv1.GetPatientRequest{PatientId: id})
		return got.GetPatient().GetEtag(), err
	case "transfer_id":
		got, err := transferv1.NewTransferServiceClient(conn).GetTransfer(ctx, &transferv1.GetTransferRequest{TransferId: id})
		return got.GetTransfer().GetEtag(), err
	case "offer_id":
		got, err := matchingv1.NewMatchingServiceClient(conn).GetOffer(ctx, &matchingv1.GetOfferRequest{OfferId: id})
		return got.GetOffer().GetEtag(), err
	}
	got, err := referralv1.NewReferralServiceClient(conn).GetReferral(ctx, &referralv1.GetReferralRequest{ReferralId: id})
	return got.GetReferral().GetEtag(), err
}

// done shows the record as it is now.
func (x *action) done(out proto.Message) error {
	if x.json {
		return x.answer(out)
	}
	switch got := out.(type) {
	case interface{ GetReferral() *referralv1.Referral }:
		return x.showCase(got.GetReferral())
	case interface{ GetOffer() *matchingv1.Offer }:
		return x.showOffer(got.GetOffer())
	case interface{ GetMerge() *patientv1.Merge }:
		return x.mergeRows(got.GetMerge())
	case interface{ GetTransfer() *transferv1.Transfer }:
		return x.showTransfer(got.GetTransfer())
	}
	_, err := fmt.Fprintln(x.Out, x.say("已记录。", "Recorded."))
	return err
}
