"""Traditional and simplified Chinese: told apart, and made one for the lexicon.

The table holds common characters that are written differently; a character that both write the same tells nothing.
Characters whose simplified form is also a traditional character of its own (后, 里, 面, 台, …) are left out.
"""

_PAIRS = """
這这 個个 們们 來来 說说 時时 過过 會会 對对 還还 沒没 請请 問问 謝谢 幫帮 麼么 樣样 為为 於于 與与 從从 無无 開开
關关 電电 話话 郵邮 網网 錢钱 貨货 費费 單单 訂订 購购 買买 賣卖 價价 貴贵 帳账 號号 碼码 驗验 證证 實实 認认 錯错
誤误 壞坏 復复 運运 輸输 遞递 達达 遲迟 點点 線线 聯联 繫系 處处 應应 該该 給给 讓让 將将 經经 歷历 現现 發发 見见
覺觉 聽听 講讲 讀读 寫写 書书 頁页 題题 類类 戶户 務务 員员 專专 業业 產产 質质 優优 減减 試试 計计 劃划 設设 備备
裝装 機机 腦脑 軟软 體体 鍵键 盤盘 螢荧 顯显 藍蓝 連连 結结 斷断 閃闪 當当 動动 態态 確确 馬马 車车 門门 間间 東东
國国 華华 語语 學学 習习 師师 醫医 藥药 廠厂 場场 辦办 區区 縣县 鄉乡 鎮镇 樓楼 層层 圖图 館馆 銀银 億亿 萬万 許许
諾诺 願愿 戰战 爭争 權权 護护 據据 資资 訊讯 簡简 傳传 導导 標标 準准 級级 組组 織织 團团 隊队 長长 頭头 臉脸 齊齐
總总 兩两 雙双 幾几 數数 歲岁 週周 歡欢 愛爱 憂忧 懷怀 慮虑 戀恋 恆恒 惡恶 惱恼 憤愤 爛烂 滿满 嗎吗 喲哟 誰谁 甚什
嘗尝 壓压 歸归 種种 積积 極极 構构 檢检 測测 換换 掛挂 損损 擔担 擇择 擊击 擾扰 攝摄 敗败 敵敌 變变 顧顾 須须 順顺
預预 領领 額额 顏颜 顆颗 風风 飛飞 飯饭 飲饮 餘余 髮发 鬧闹 魚鱼 鳥鸟 麗丽 黃黄 齡龄 龍龙 輕轻 較较 輛辆 輪轮 轉转
軌轨 農农 邊边 適适 選选 遺遗 鄰邻 釋释 針针 釣钓 鈕钮 鋪铺 錄录 鎖锁 鏡镜 鐘钟 鐵铁 閉闭 閱阅 陳陈 陰阴 陽阳 陸陆
險险 隨随 雖虽 雜杂 雞鸡 離离 難难 靈灵 靜静 頻频 駭骇 騙骗 騷骚 驚惊 驟骤 貝贝 負负 財财 責责 貧贫 貪贪 貸贷 貼贴
賀贺 賓宾 賠赔 賬账 賺赚 贈赠 贏赢 趕赶 蹤踪 躍跃 軍军 辭辞 詐诈 詞词 詢询 詩诗 詳详 誠诚 誌志 調调 談谈 論论 諮咨
謊谎 譯译 議议 譽誉 豐丰 貓猫 視视 規规 親亲 觀观 觸触 註注 訴诉 評评 補补 製制 複复 襯衬 衛卫 術术 蘋苹 藝艺 虛虚
蟲虫 腫肿 腳脚 膚肤 膽胆 臨临 舊旧 艦舰 莊庄 萊莱 葉叶 著着 蓋盖 薦荐 蘇苏 節节 範范 築筑 簽签 籤签 籃篮 糧粮 紀纪
約约 紅红 納纳 純纯 紙纸 細细 終终 統统 絕绝 絡络 綠绿 維维 緊紧 緒绪 編编 緩缓 練练 縮缩 績绩 續续 繼继 罰罚 罷罢
羅罗 義义 聖圣 聲声 職职 聰聪 肅肃 脫脱 條条 楊杨 榮荣 樂乐 樹树 橋桥 歐欧 歎叹 殘残 殺杀 氣气 漢汉 溝沟 溫温 滯滞
漲涨 潔洁 澤泽 濟济 濕湿 灣湾 災灾 煩烦 煙烟 熱热 營营 燈灯 爐炉 爺爷 牆墙 狀状 獎奖 獨独 獲获 環环 瑪玛 畫画 異异
療疗 癱瘫 盜盗 監监 眾众 矚瞩 礎础 礦矿 禮礼 禍祸 稅税 穩稳 窮穷 競竞 筆笔 僅仅 僑侨 傷伤 債债 儀仪 儘尽 償偿 兒儿
內内 冊册 凍冻 凱凯 別别 刪删 則则 剛刚 創创 劇剧 劍剑 勁劲 勞劳 勝胜 勵励 勸劝 匯汇 協协 卻却 參参 叢丛 吳吴 唸念
啟启 喪丧 嚇吓 嚴严 園园 圍围 圓圆 執执 報报 塊块 塗涂 壽寿 夠够 夢梦 夥伙 奪夺 奧奥 婦妇 媽妈 孫孙 寧宁 審审 寬宽
屆届 屬属 島岛 帥帅 帶带 幣币 幹干 庫库 廣广 廳厅 張张 強强 彈弹 彙汇 後后 徑径 徵征 憑凭 憶忆 戲戏 拋抛 掃扫 採采
揮挥 搶抢 撥拨 撿捡 擁拥 擴扩 攜携 摺折 斃毙 暫暂 曆历 曉晓 棄弃 棟栋 櫃柜 欄栏 祇只 裡里 鬆松 麵面 臺台 颱台 檯台
隻只 衝冲 讚赞 贊赞 徹彻 憲宪 擬拟 瀏浏 覽览 爾尔 牠它 甦苏 瞭了 籌筹 舉举 訪访 診诊 託托 誇夸 課课 謀谋 販贩 貿贸
賽赛 賴赖 踐践 蹟迹 遠远 遷迁 遊游 邁迈 鄭郑 釐厘 鈔钞 銷销 鍋锅 閒闲 闆板 靦腼 韌韧 韓韩 響响 項项 騎骑 驅驱 鮮鲜
麥麦 黨党 鹽盐 齒齿 齣出 偽伪 偵侦 倉仓 側侧 傾倾 傑杰 隱隐
"""

_ONE_WAY = frozenset("后里面台只了志念干伙松冲出板周制注厘系复划咨签折游赞它余什准")
"""Simplified forms that traditional text writes too: converted to, but telling nothing."""

_BY_TRADITIONAL = {pair[0]: pair[1] for pair in _PAIRS.split() if pair[0] != pair[1]}
_TO_SIMPLIFIED = str.maketrans(_BY_TRADITIONAL)
_TRADITIONAL = frozenset(_BY_TRADITIONAL)
_SIMPLIFIED = frozenset(_BY_TRADITIONAL.values()) - _ONE_WAY - _TRADITIONAL


def simplified(text: str) -> str:
    """The text with the table's traditional characters replaced; the same length."""
    return text.translate(_TO_SIMPLIFIED)


def script_of(text: str) -> str | None:
    """`Hant` or `Hans` by which of the table's characters there are more of; None when that tells nothing."""
    traditional = sum(letter in _TRADITIONAL for letter in text)
    simple = sum(letter in _SIMPLIFIED for letter in text)
    if traditional == simple:
        return None
    return "Hant" if traditional > simple else "Hans"
