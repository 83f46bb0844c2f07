#pragma once

#include <string>

#include <espalier/view/html.h>

// What the drawings of charts have in common.
namespace espalier::view::frame {

// The drawing's size and the frame of its axes.
inline constexpr double kWidth = 460, kHeight = 260, kLeft = 58, kRight = 14, kTop = 14, kBottom = 44;
inline constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;

Html line(double x1, double y1, double x2, double y2, const char* style);
Html words(double x, double y, const char* anchor, const std::string& text);
// The whole, with what it shows in words.
Html drawing(const std::string& id, const std::string& title, const std::string& description,
             const Html& content);

}  // namespace espalier::view::frame
