package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/proto"

	accessv1 "huhang.example/gen/huhang/access/v1"
)

// MetadataKey carries a serialized huhang.access.v1.Caller from service to service. From anybody else it means nothing.
const MetadataKey = "huhang-caller-bin"

const (
	rolePrefix      = "ROLE_"
	maxSubject      = 128
	maxOrganisation = 32
	maxRoles        = 8
)

var (
	organisationFormat = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)
	provinceFormat     = regexp.MustCompile(`^[0-9]{6}$`)
)

func fromProtoRole(r accessv1.Role) Role { return Role(strings.TrimPrefix(r.String(), rolePrefix)) }

// Encode writes a person or hospital for MetadataKey. Services are not passed on: their certificate speaks for them.
func Encode(c Caller) (string, error) {
	message := &accessv1.Caller{Subject: c.Subject, Organisation: c.Organisation, Province: c.Province}
	for _, role := range c.Roles {
		number, ok := accessv1.Role_value[rolePrefix+string(role)]
		if !ok || number == 0 {
			return "", fmt.Errorf("role %q cannot be passed on", role)
		}
		message.Roles = append(message.Roles, accessv1.Role(number))
	}
	if _, err := fromProto(message); err != nil {
		return "", err
	}
	text, err := proto.Marshal(message)
	return string(text), err
}

// Decode reads what Encode wrote and refuses anything else.
func Decode(text string) (Caller, error) {
	message := new(accessv1.Caller)
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(text), message); err != nil {
		return Caller{}, errors.New("not a caller")
	}
	return fromProto(message)
}

func fromProto(m *accessv1.Caller) (Caller, error) {
	c := Caller{Subject: m.GetSubject(), Organisation: m.GetOrganisation(), Province: m.GetProvince()}
	switch {
	case m.GetService() != "":
		return Caller{}, errors.New("a service cannot be passed on as a caller")
	case c.Subject == "" || len(c.Subject) > maxSubject:
		return Caller{}, fmt.Errorf("subject of %d bytes", len(c.Subject))
	case len(c.Organisation) > maxOrganisation || c.Organisation != "" && !organisationFormat.MatchString(c.Organisation):
		return Caller{}, errors.New("malformed organisation")
	case c.Province != "" && !provinceFormat.MatchString(c.Province):
		return Caller{}, errors.New("malformed province")
	case len(m.GetRoles()) > maxRoles:
		return Caller{}, fmt.Errorf("%d roles", len(m.GetRoles()))
	}
	for _, role := range m.GetRoles() {
		// SERVICE is proved by a certificate alone: a person who could be given it would see everything.
		if _, known := accessv1.Role_name[int32(role)]; !known || role == accessv1.Role_ROLE_UNSPECIFIED || role == accessv1.Role_ROLE_SERVICE {
			return Caller{}, fmt.Errorf("role %s cannot be passed on", role)
		}
		c.Roles = append(c.Roles, fromProtoRole(role))
	}
	return c, nil
}
