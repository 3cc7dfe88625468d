package cache

import (
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// addressKey is the key of a proxy's metadata that says on which address of this machine its pod is.
const addressKey = "corral.dev/address"

var socketAddress = (&corev3.SocketAddress{}).ProtoReflect().Descriptor().FullName()

// local is the snapshot as the proxy with this ID gets it: its listeners are on the address of its own pod,
// and it dials other pods where they are on this machine. The caller holds s.mu.
func (s *snapshotCache) local(nodeID string, snapshot *cachev3.Snapshot) *cachev3.Snapshot {
	address := ""
	for _, node := range s.streamIDNodeInfo {
		if node != nil && node.Id == nodeID {
			address = node.GetMetadata().GetFields()[addressKey].GetStringValue()
		}
	}
	if address == "" || snapshot == nil {
		return snapshot
	}
	moved := &cachev3.Snapshot{Resources: snapshot.Resources}
	for _, kind := range []types.ResponseType{types.Endpoint, types.Cluster, types.Listener} {
		items := make(map[string]types.ResourceWithTTL, len(snapshot.Resources[kind].Items))
		for name, item := range snapshot.Resources[kind].Items {
			item.Resource = proto.Clone(item.Resource)
			move(item.Resource.ProtoReflect(), address)
			items[name] = item
		}
		moved.Resources[kind].Items = items
	}
	return moved
}

// move rewrites every socket address in the message.
func move(message protoreflect.Message, address string) {
	if message.Descriptor().FullName() == socketAddress {
		socket := message.Interface().(*corev3.SocketAddress)
		socket.Address = moved(socket.Address, address)
		return
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil || field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				move(value.List().Get(i).Message(), address)
			}
		default:
			move(value.Message(), address)
		}
		return true
	})
}

// moved is where a cluster's address is on this machine: 10.P.x.y is the pod at 127.P.x.y, and every
// interface is the proxy's own address, 127.P.a.b.
func moved(stated, address string) string {
	parts := strings.Split(address, ".")
	pods := "10." + parts[1] + "."
	switch {
	case stated == "0.0.0.0" || stated == "::":
		return address
	case strings.HasPrefix(stated, pods):
		return "127" + strings.TrimPrefix(stated, "10")
	}
	return stated
}
