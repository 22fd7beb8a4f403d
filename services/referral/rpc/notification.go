package rpc

import (
	"google.golang.org/grpc"

	referralv1 "huhang.example/gen/huhang/referral/v1"
)

// Notifications implements NotificationService and WebhookService.
type Notifications struct {
	referralv1.UnimplementedNotificationServiceServer
	referralv1.UnimplementedWebhookServiceServer
}

// RegisterNotifications adds the two gRPC services of notifications to a server.
func RegisterNotifications(to grpc.ServiceRegistrar, s *Notifications) {
	referralv1.RegisterNotificationServiceServer(to, s)
	referralv1.RegisterWebhookServiceServer(to, s)
}
