package rpc

import (
	"context"

	"google.golang.org/grpc"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral/notify"
)

// Notifications implements NotificationService and WebhookService.
type Notifications struct {
	referralv1.UnimplementedNotificationServiceServer
	referralv1.UnimplementedWebhookServiceServer
	use *notify.Service
	db  *sqldb.DB
}

// NewNotifications returns the server of both.
func NewNotifications(use *notify.Service, db *sqldb.DB) *Notifications {
	return &Notifications{use: use, db: db}
}

// RegisterNotifications adds the two gRPC services to a server.
func RegisterNotifications(to grpc.ServiceRegistrar, s *Notifications) {
	referralv1.RegisterNotificationServiceServer(to, s)
	referralv1.RegisterWebhookServiceServer(to, s)
}

func noticeOut(n *notify.Notice) *referralv1.Notification {
	return &referralv1.Notification{
		NotificationId: n.ID, Organisation: n.Organisation, ReferralId: n.ReferralID, Code: n.Code, TableVersion: n.TableVersion,
		Urgency: referralv1.NotificationUrgency(referralv1.NotificationUrgency_value["NOTIFICATION_URGENCY_"+n.Urgency]),
		TitleZh: n.Zh, TitleEn: n.En, Action: n.Action, DueTime: stamp(n.Due), Sequence: n.Sequence, ActorOrganisation: n.Actor,
		RecordId: n.RecordID, TraceId: n.TraceID, EventTime: stamp(n.Event), CreateTime: stamp(n.Created), OpenTime: stamp(n.Opened), OpenedBy: n.OpenedBy,
	}
}

func noticesOut(list []*notify.Notice) []*referralv1.Notification {
	out := make([]*referralv1.Notification, 0, len(list))
	for _, n := range list {
		out = append(out, noticeOut(n))
	}
	return out
}

// ListNotifications lists the caller's inbox.
func (s *Notifications) ListNotifications(ctx context.Context, req *referralv1.ListNotificationsRequest) (*referralv1.ListNotificationsResponse, error) {
	list, next, unread, err := s.use.ListNotices(ctx, req.GetUnreadOnly(), req.GetReferralId(), req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	return &referralv1.ListNotificationsResponse{Notifications: noticesOut(list), NextPageToken: next, UnreadCount: int32(unread)}, nil
}

// OpenNotifications records that the caller opened notices.
func (s *Notifications) OpenNotifications(ctx context.Context, req *referralv1.OpenNotificationsRequest) (*referralv1.OpenNotificationsResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.OpenNotificationsResponse, error) {
		list, unread, err := s.use.OpenNotices(ctx, req.GetNotificationIds())
		if err != nil {
			return nil, err
		}
		return &referralv1.OpenNotificationsResponse{Notifications: noticesOut(list), UnreadCount: int32(unread)}, nil
	}, idempotency.Resource(req.GetNotificationIds()[0]))
}

// ListReferralNotifications shows what was sent about a case.
func (s *Notifications) ListReferralNotifications(ctx context.Context, req *referralv1.ListReferralNotificationsRequest) (*referralv1.ListReferralNotificationsResponse, error) {
	list, truncated, err := s.use.OfReferral(ctx, req.GetReferralId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListReferralNotificationsResponse{Truncated: truncated}
	for _, f := range list {
		out.Facilities = append(out.Facilities, &referralv1.FacilityNotifications{
			Organisation: f.Organisation, Notifications: noticesOut(f.Notices), Deliveries: deliveriesOut(f.Deliveries),
		})
	}
	return out, nil
}
