#include "proto/wire/framing.h"

#include <gtest/gtest.h>
#include <string>

#include "proto/control.pb.h"
#include "proto/wire/error.h"

namespace walstorm::wire {
namespace {

std::string frame_of_size(std::size_t bytes) {
  proto::StartPhase message;
  message.set_name(std::string(bytes, 'x'));
  std::string frame;
  append_frame(message, frame);
  return frame;
}

TEST(Framing, CutsFramesWhateverThePiecesAre) {
  const std::string stream = frame_of_size(1) + frame_of_size(500) + frame_of_size(0) + frame_of_size(70'000);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    FrameDecoder decoder;
    std::vector<std::size_t> sizes;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      decoder.feed(std::string_view(stream).substr(at, piece));
      while (const auto frame = decoder.next()) {
        proto::StartPhase message;
        ASSERT_TRUE(message.ParseFromArray(frame->data(), static_cast<int>(frame->size())));
        sizes.push_back(message.name().size());
      }
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 500, 0, 70'000})) << "pieces of " << piece;
    EXPECT_EQ(decoder.pending_bytes(), 0U);
  }
}

TEST(Framing, TellsAnUnfinishedFrame) {
  FrameDecoder decoder;
  decoder.feed(frame_of_size(100).substr(0, 50));
  EXPECT_FALSE(decoder.next().has_value());
  EXPECT_EQ(decoder.pending_bytes(), 50U);
}

TEST(Framing, RefusesALengthBeyondTheLimit) {
  FrameDecoder decoder;
  decoder.feed("\xff\xff\xff\x7f");
  EXPECT_THROW((void)decoder.next(), Error);
}

}  // namespace
}  // namespace walstorm::wire
